"""Proofs of tickets and tags, found out before the core decides.

What is cheap is done at once: reading a ticket, a MAC, a tag's message. A signature costs 100 µs and goes to
a prover (`gateways/prover.py`); the message that needs it is parked and handled again as if it came then, so
that numbering, resends and bounds are judged once, by what is true at that time.

Whoever sends garbage has little of it: it fails where it is cheapest to find out, what a reader shows that
was wrong too often is refused without a look (203), who is refused so is heard behind all others
(`gateways/later.py`), and readers take turns at the prover. Only where too many wait is it ERROR 12, which a
reader must live with anyway: it keeps the event and sends it again. Rejected: ERROR 12 for garbage, too. Who
gets nothing else may think itself alone, and open by rules of its own.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.credentials import ntag424, ticket
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.keys import VerifyKey, is_mac
from liftgate.codecs.frame import Fault, PeerError
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.proof import Proof
from liftgate.gateways.keyring import Keyring, Ring
from liftgate.gateways.prover import OUTSTANDING_MAX, Job, Prover

if TYPE_CHECKING:
    from liftgate.gateways.link import Link

KNOWN_MAX = 8192
"""Genuine tickets at hand, 1 KiB each, the one longest unused goes first: a ticket is scanned twice or three
times, coming and going, and what is not at hand is proven again."""

WRONG_MAX = 1024
"""The same for others. Apart, so that garbage cannot take the place of tickets."""

SCANS_WAITING_MAX = 16
"""Of one reader: a lane's burst. One more is answered ERROR 12."""

JOBS_PER_LINK_MAX = 512
"""Signatures that one connection waits for: a REPLAY's frame holds some 250 tickets."""

JOBS_MAX = 16_384
"""The same for all, 2 s of the prover's work and 16 MiB."""

FAULTS_MAX = 16
FAULT_MS = 125
"""A reader may be wrong so often at once, and once more every 125 ms: nobody holds eight tickets a second
before a lane. Beyond that its tickets and tags are not looked at, unless they are known to be genuine."""

NOT_LOOKED_AT = Proof(fault="not looked at: too many before it were not genuine")


class Seen:
    """A ticket that was read: what it is, or why it is none; material: of the key that it was checked with,
    genuine: what came of that, None: not known.
    """

    def __init__(self, sealed: ticket.Sealed | None, fault: str) -> None:
        self.sealed = sealed
        self.fault = fault
        self.material = b""
        self.genuine: bool | None = None

    def is_settled(self, key: VerifyKey) -> bool:
        return self.genuine is not None and self.material == key.material


class Parked:
    """A message of a link that waits for so many proofs; whoever it is that may be wrong."""

    def __init__(self, link: "Link", ref: int, message: Any, who: str) -> None:
        self.link = link
        self.ref = ref
        self.boot = link.boot
        self.message = message
        self.who = who
        self.waits = 0
        self.failed = False
        self.seen: dict[bytes, Seen] = {}


class Waiting:
    """A job in a link's queue or at the prover, and the messages that wait for it."""

    def __init__(self, link: "Link", token: bytes, seen: Seen, key: VerifyKey) -> None:
        sealed = seen.sealed
        assert sealed is not None
        self.link = link
        self.token = token
        self.seen = seen
        self.key = key
        self.job = Job(key.material, sealed.over, sealed.seal)
        self.parked: list[Parked] = []


class Proofs:
    """queues: jobs by link, in the order of their turns; asked: those that the prover has; waiting: all of
    both, by link and token; faults: by reader, how often it was wrong, and when that was reckoned (ms);
    refused: messages answered ERROR 12 since the start; held: links of readers that were refused without a
    look, with what they have said since, which whoever moves bytes may let wait.
    """

    def __init__(self, keyring: Keyring, prover: Prover) -> None:
        self.keyring = keyring
        self.prover = prover
        self.now_ms = 0
        self.steady_ms = 0
        self.refused = 0
        self.queues: dict[Link, deque[Waiting]] = {}
        self.waiting: dict[tuple[Link, bytes], Waiting] = {}
        self.asked: dict[Job, list[Waiting]] = {}
        self.faults: dict[str, tuple[int, int]] = {}
        self.held: dict[Link, list[bytes]] = {}
        self._known: OrderedDict[bytes, Seen] = OrderedDict()
        self._wrong: OrderedDict[bytes, Seen] = OrderedDict()
        self._resuming: dict[bytes, Seen] = {}

    # -- rounds

    def begin(self, now_ms: int, steady_ms: int) -> None:
        """A round begins: handle what waited for proofs that are there now."""
        self.now_ms, self.steady_ms = now_ms, steady_ms
        if self.asked:
            for job, genuine in self.prover.answers():
                for waiting in self.asked.pop(job, ()):
                    self._settle(waiting, genuine)

    def flush(self) -> None:
        """A round ends: give the prover what it has room for, a job of each link in turn."""
        while self.queues and len(self.asked) < OUTSTANDING_MAX:
            link, queue = next(iter(self.queues.items()))
            del self.queues[link]
            waiting = queue.popleft()
            if queue:
                self.queues[link] = queue
            self._ask(waiting)

    def _ask(self, waiting: Waiting) -> None:
        same = self.asked.get(waiting.job)
        if same is None:
            self.asked[waiting.job] = [waiting]
            self.prover.ask(waiting.job)
        else:
            same.append(waiting)

    def is_waiting(self) -> bool:
        """Whether anything waits for the prover."""
        return bool(self.asked or self.queues)

    def forget(self, link: "Link") -> None:
        """The link is gone: what waited for it was not decided, and its reader sends it again."""
        self.held.pop(link, None)
        for waiting in self.queues.pop(link, ()):
            del self.waiting[link, waiting.token]

    # -- for links

    def wait(self, link: "Link", who: str, message: Any, lot: Lot, tokens: list[tuple[int, bytes]]) -> bool:
        """Whether the message has to wait, for a proof of one of these (kind, token): it is parked then, or
        refused, and nothing more is to be done with it now.

        who: the reader that may be wrong; "": one whose history is told, which is paced already.
        """
        ring = self.keyring.of(lot)
        if ring is None:
            return False
        if who and self._is_wrong_too_often(who):
            return False
        missing = {token: found for kind, token in tokens if (found := self._missing(ring, kind, token))}
        if not missing:
            return False
        if not self._has_room(link, who, len(missing)):
            self.refused += 1
            link.refuse(PeerError(Fault.UNAVAILABLE, "too many proofs are waited for", link.conn.ref))
            return True
        self._park(Parked(link, link.conn.ref, message, who), missing)
        return True

    def prove(self, link: "Link", who: str, lot: Lot, scan: ReadCredential, message: Any = None) -> bool:
        """Leave in a live scan what is proven of its token, which is the credential's identity then.

        False: it has to wait, or was refused, as with `wait`. message: what brought the scan; None: the
        reader's own SCAN did.
        """
        kind, token = scan.kind, scan.token
        if scan.lane.policy[kind] == "off" or self.keyring.of(lot) is None:
            return True
        if message is None:
            message = m.Scan(scan.no, scan.at_ms, scan.lane.number, kind, token)
        if self.wait(link, who, message, lot, [(kind, token)]):
            return False
        scan.proof = self.of(lot, kind, token, who)
        if scan.proof is NOT_LOOKED_AT and link.id == who:
            self.held.setdefault(link, [])
        if scan.proof is not None and scan.proof.identity:
            scan.token = scan.proof.identity
        return True

    def of(self, lot: Lot, kind: int, token: bytes, who: str = "") -> Proof | None:
        """What is proven of a token that has not to be waited for; None: it is none that proves itself."""
        ring = self.keyring.of(lot)
        if ring is None:
            return None
        if kind != codes.TAG and not ticket.is_ticket(token):
            return None
        if who and not self._resuming and self._is_wrong_too_often(who) and token not in self._known:
            return NOT_LOOKED_AT
        proof = self._tag(ring, token) if kind == codes.TAG else self._ticket(ring, token)
        if who and not proof.identity and not self._resuming:
            self._note_fault(who)
        return proof

    def seen(self, tokens: list[tuple[int, bytes]]) -> dict[bytes, Seen]:
        """What is known now of the tickets among (kind, token), for who asks `of` them later (`holding`)."""
        return {
            token: self._look(token) for kind, token in tokens if kind == codes.QR and ticket.is_ticket(token)
        }

    @contextmanager
    def holding(self, seen: dict[bytes, Seen]) -> Iterator[None]:
        """Ask `of` with what was known then: much may have been forgotten since."""
        before, self._resuming = self._resuming, seen
        try:
            yield
        finally:
            self._resuming = before

    # -- tickets

    def _ticket(self, ring: Ring, token: bytes) -> Proof:
        seen = self._look(token)
        sealed = seen.sealed
        if sealed is None:
            return Proof(fault=seen.fault)
        key = ring.tickets.get(sealed.kid)
        fault = self._objection(sealed, key)
        if fault or key is None:
            return Proof(fault=fault)
        if sealed.mac and not seen.is_settled(key):
            self._settled(token, seen, key, is_mac(key.material, sealed.over, sealed.seal))
        if not (seen.is_settled(key) and seen.genuine):
            return Proof(fault=f"{'MAC' if sealed.mac else 'signature'} does not fit key {key.kid}")
        said = sealed.ticket
        return Proof(
            identity=said.cti,
            kid=key.kid,
            lot=said.lot,
            from_s=said.not_before_s,
            until_s=said.expires_s,
            spot_class=said.spot_class,
            single_use=said.single_use,
        )

    def _objection(self, sealed: ticket.Sealed, key: VerifyKey | None) -> str:
        """Why no key can vouch for it, before anything is reckoned."""
        if key is None:
            return "its key is not known here"
        if sealed.mac != (key.alg == "hmac"):
            return f"key {key.kid} is for another algorithm"
        return "" if key.holds(self.now_ms // 1000) else f"key {key.kid} does not vouch at this time"

    def _missing(self, ring: Ring, kind: int, token: bytes) -> tuple[Seen, VerifyKey] | None:
        """The ticket and its key, where the signature is not checked yet."""
        if kind != codes.QR or not ticket.is_ticket(token):
            return None
        seen = self._look(token)
        if seen.sealed is None or seen.sealed.mac:
            return None
        key = ring.tickets.get(seen.sealed.kid)
        if key is None or self._objection(seen.sealed, key) or seen.is_settled(key):
            return None
        return seen, key

    def _look(self, token: bytes) -> Seen:
        """The ticket, read once for as long as it is at hand."""
        seen = self._resuming.get(token)
        for cache in (self._known, self._wrong):
            if seen is None and (seen := cache.get(token)) is not None:
                cache.move_to_end(token)
        if seen is not None:
            return seen
        try:
            seen = Seen(ticket.read(token), "")
        except CredentialError as error:
            seen = Seen(None, str(error))
        _keep(self._wrong, token, seen, WRONG_MAX)
        return seen

    def _settled(self, token: bytes, seen: Seen, key: VerifyKey, genuine: bool) -> None:
        seen.material, seen.genuine = key.material, genuine
        if genuine:
            self._wrong.pop(token, None)
            _keep(self._known, token, seen, KNOWN_MAX)

    # -- tags

    def _tag(self, ring: Ring, token: bytes) -> Proof:
        """Not kept: each tap says something else."""
        try:
            sun = ntag424.read(token, ring.names)
        except CredentialError as error:
            return Proof(fault=str(error))
        for keys in ring.tags:
            tap = ntag424.opened(sun, keys)
            if tap is not None:
                return Proof(identity=tap.uid, kid=keys.kid, counter=tap.counter)
        return Proof(fault="no key of this lot opens it")

    # -- parking

    def _has_room(self, link: "Link", who: str, more: int) -> bool:
        if who and link.parked >= SCANS_WAITING_MAX and link.id == who:
            return False
        own = len(self.queues.get(link, ()))
        return own + more <= JOBS_PER_LINK_MAX and len(self.waiting) + more <= JOBS_MAX

    def _park(self, parked: Parked, missing: dict[bytes, tuple[Seen, VerifyKey]]) -> None:
        link = parked.link
        for token, (seen, key) in missing.items():
            waiting = self.waiting.get((link, token))
            if waiting is None:
                waiting = self.waiting[link, token] = Waiting(link, token, seen, key)
                self.queues.setdefault(link, deque()).append(waiting)
            waiting.parked.append(parked)
            parked.seen[token] = waiting.seen
            parked.waits += 1
        link.parked += 1

    def _settle(self, waiting: Waiting, genuine: bool | None) -> None:
        del self.waiting[waiting.link, waiting.token]
        if genuine is not None:
            self._settled(waiting.token, waiting.seen, waiting.key, genuine)
        for parked in waiting.parked:
            parked.waits -= 1
            parked.failed = parked.failed or genuine is None
            if genuine is False and parked.who:
                self._note_fault(parked.who)
            if not parked.waits:
                self._resume(parked)

    def _resume(self, parked: Parked) -> None:
        with self.holding(parked.seen):
            parked.link.resume(parked.ref, parked.boot, parked.message, parked.failed)

    # -- who is wrong too often

    def _is_wrong_too_often(self, who: str) -> bool:
        count, since_ms = self.faults.get(who, (0, 0))
        return count - (self.steady_ms - since_ms) // FAULT_MS >= FAULTS_MAX

    def _note_fault(self, who: str) -> None:
        count, since_ms = self.faults.get(who, (0, self.steady_ms))
        eased = (self.steady_ms - since_ms) // FAULT_MS
        if eased >= count:
            self.faults[who] = (1, self.steady_ms)
        else:
            self.faults[who] = (count - eased + 1, since_ms + eased * FAULT_MS)


def _keep(cache: "OrderedDict[bytes, Seen]", token: bytes, seen: Seen, most: int) -> None:
    cache[token] = seen
    if len(cache) > most:
        cache.popitem(last=False)
