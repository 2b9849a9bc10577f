"""Feeds: a subscriber sees every event as it stands on disk, in order, none left out, only durable ones."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit.chapter import Chapter

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Feed:
    """One subscriber. next: what the next frame begins with, None after it subscribed; start: where it then
    may begin at the latest; exact: whether that must lie in the first frame; seen: the furthest it saw.
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self.start = 1
        self.exact = False
        self.seen = 0


class Feeds(Chapter):
    """From a position of its own a subscriber goes on exactly there; from the stored cursor perhaps earlier,
    since a cursor may be lost in a crash, never later than what it called safe.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.feeds: dict[str, Feed] = {}
        self.safe_to: dict[str, int] = {}

    def subscribed(self, subscriber: str, after: int, stored: bool) -> None:
        feed = self.feeds.setdefault(subscriber, Feed())
        feed.next, feed.exact = None, not stored
        if not stored:
            self.safe_to.setdefault(subscriber, after)
        feed.start = 1 + (self.safe_to.get(subscriber, 0) if stored else after)

    def safe(self, subscriber: str, position: int) -> None:
        self.safe_to[subscriber] = position

    def events(self, subscriber: str, first: int, last: int, records: bytes) -> None:
        feed = self.feeds[subscriber]
        said = f"{subscriber} was sent {first} to {last}"
        if last > self.audit.position:
            self.find("sent, not durable", said, f"events up to {self.audit.position}")
        elif self.audit.kept.record_bytes(first, last) != records:
            self.find("sent otherwise", f"{said}, {len(records)} bytes", "whole records as on disk")
        elif not self._follows(feed, first, last):
            expected = f"event {feed.start if feed.next is None else feed.next} next"
            self.find("sent out of order", said, expected)
        feed.next, feed.seen = last + 1, max(feed.seen, last)

    def _follows(self, feed: Feed, first: int, last: int) -> bool:
        if feed.next is not None:
            return first == feed.next
        return first <= feed.start and (last >= feed.start or not feed.exact)

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for subscriber, feed in self.feeds.items():
            if feed.seen < self.audit.position:
                text = f"{subscriber} saw events up to {feed.seen}"
                self.find("never sent", text, f"all up to {self.audit.position}")
