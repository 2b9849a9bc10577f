"""One connection, sans I/O: sign-on, requests, answers, and when it has to end.

What is legal when is the codec's table (`codecs/connection.py`); here is what each message does. Requests
are decided as they are read and their answers packed behind each other; nothing leaves before the
gateway's commit.
"""

from typing import TYPE_CHECKING, Any

import structlog

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.frame import Fault, PeerError
from liftgate.codecs.scans import ScanFields
from liftgate.engine.core.commands import ReadCredential, RecordPassage, ReportLane
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lane, Lot, Reader
from liftgate.engine.core.numbering import Numbering
from liftgate.engine.journal.feed import Feed
from liftgate.gateways import answers, services, signon

if TYPE_CHECKING:
    from liftgate.configs.schema import ServiceConfig
    from liftgate.gateways.gateway import Gateway

log = structlog.get_logger()

SIGN_ON_MS = 5_000
"""protocol.md: sign-on must finish in 5 s."""

STALLED_MS = 10_000
"""How long a peer may leave what is sent to it unread: a full socket for ten seconds on a lane is a broken
peer, and what waits for it costs memory."""

NOWHERE = Lot("")
"""The lot of a link that is no reader's: nothing reaches it, as the dialogue's table holds readers apart."""


class Link:
    """One peer's connection.

    id, role: as signed on; reader, lot, numbering: the model's, for a reader; service: its configuration,
    for a service; heard_ms: when something last came; backlog: what the mover could not send yet; closing:
    nothing more is read, and it ends when everything is sent; closed: the mover should drop it now; parked:
    messages that wait for a proof (`gateways/proofs.py`);
    handle: the mover's own name for it, -1 when it has let go; wraps: what is packed for it goes through
    `wrap` before it is sent, since it speaks another protocol with these frames inside; carried: it has no
    connection, a service brings what is packed for it (`gateways/carried.py`).
    """

    def __init__(self, gateway: "Gateway", peer: str, steady_ms: int) -> None:
        self.gateway = gateway
        self.engine = gateway.engine
        self.peer = peer
        self.conn = WireConnection(Role.ENGINE)
        self.id = ""
        self.role = 0
        self.asked_role = 0
        self.boot = 0
        self.frame_bytes_max = 0
        self.lot = NOWHERE
        self.reader: Reader | None = None
        self.numbering: Numbering | None = None
        self.service: ServiceConfig | None = None
        self.feed: Feed | None = None
        self.cursor_name = ""
        self.key = b""
        self.opened_ms = steady_ms
        self.heard_ms = steady_ms
        self.pinged_ms = 0
        self.handle = -1
        self.wraps = False
        self.carried = False
        self.backlog = b""
        self.stalled_ms = 0
        self.closing = False
        self.closed = False
        self.in_flight_max = gateway.config.in_flight_max
        self.parked = 0
        self._unanswered = 0
        self._answered = 0

    # -- what comes in

    def receive(self, data: bytes) -> None:
        """Take what the peer sent (b"": it closed), decide it, and pack the answers."""
        if self.closing or self.closed:
            if not data:
                self.close("closed")
            return
        gateway = self.gateway
        self.heard_ms = gateway.steady_ms
        self.pinged_ms = 0
        self._note_answers()
        gateway.own(self)
        self.conn.feed(data)
        while self._take_all():
            pass

    def _take_all(self) -> bool:
        """Handle all that is there; True: go on after an error that is not fatal."""
        conn = self.conn
        fields = self.gateway.fields
        try:
            while not self.closing:
                if conn.next_scan(fields):
                    self._scan(fields)
                    if conn.drained():
                        return False
                    continue
                message = conn.next_event()
                if message is NEED_MORE:
                    return False
                if message is PEER_CLOSED:
                    self.close("closed")
                    return False
                _HANDLERS[message.TYPE](self, message)
        except PeerError as error:
            self.refuse(error)
        return not self.closing

    def _note_answers(self) -> None:
        """What came before this round is answered, but for what waits for a proof."""
        if self._answered != self.gateway.answered:
            self._answered = self.gateway.answered
            self._unanswered = self.parked

    def resume(self, ref: int, boot: int, message: Any, failed: bool) -> None:
        """Handle a message that waited for proofs as if it came now, under the boot that it came under (some
        transports change theirs); failed: they could not be found out.
        """
        self._note_answers()
        self.parked -= 1
        self._unanswered -= 1
        if self.closing or self.closed:
            return
        self.gateway.own(self)
        self.conn.ref = ref
        now = self.boot
        self._number_under(boot)
        try:
            if failed:
                raise PeerError(Fault.UNAVAILABLE, "cannot be proven now", ref)
            _HANDLERS[message.TYPE](self, message)
        except PeerError as error:
            self.refuse(error)
        self._number_under(now)

    def _number_under(self, boot: int) -> None:
        if boot != self.boot:
            self.boot, self.numbering = boot, None

    def _count_in_flight(self) -> None:
        self._unanswered += 1
        if self._unanswered > self.in_flight_max:
            raise PeerError(Fault.TOO_MANY_IN_FLIGHT, ref=self.conn.ref)

    def check_accepting(self) -> bool:
        """Whether anything may be decided now; if not, the request was answered ERROR 12, not fatal."""
        if self.engine.accepting and not self.gateway.stopping:
            return True
        self.refuse(PeerError(Fault.UNAVAILABLE, ref=self.conn.ref))
        return False

    def own_numbering(self) -> Numbering:
        """The numbering of this reader's boot. One that no event was noted in yet is asked for anew: the
        same boot may come over another path meanwhile.
        """
        numbering = self.numbering
        if numbering is None:
            reader = self.reader
            if reader is None:
                raise PeerError(Fault.NOT_ALLOWED)
            numbering = reader.numbering(self.boot)
            if self.boot in reader.numberings:
                self.numbering = numbering
        return numbering

    def lane(self, number: int) -> Lane:
        """This reader's lane of that number. Raises PeerError 13."""
        reader = self.reader
        if reader is not None:
            lane = reader.lanes.get(number)
            if lane is not None:
                return lane
        raise PeerError(Fault.NO_SUCH_LANE, ref=self.conn.ref)

    def check_fits(self, numbering: Numbering, no: int) -> None:
        """Raise PeerError 11 where noting `no` would leave too many gaps."""
        if not numbering.fits(no):
            raise PeerError(Fault.TOO_MANY_GAPS, ref=self.conn.ref)

    def _scan(self, fields: ScanFields) -> None:
        self._count_in_flight()
        no = fields.no
        numbering = self.own_numbering()
        if numbering.has(no):
            self._answer_again(numbering, no)
            return
        lane = self.lane(fields.lane)
        self.check_fits(numbering, no)
        if not self.check_accepting():
            return
        gateway = self.gateway
        scan = gateway.scan
        if scan is None:
            scan = gateway.scan = ReadCredential(lane, numbering)
        scan.lane = lane
        scan.numbering = numbering
        scan.no = no
        scan.at_ms = fields.at_ms if fields.at_ms < codes.TIME_MS_MAX else codes.TIME_MS_MAX
        scan.kind = fields.kind
        scan.token = fields.token
        if fields.kind & 1:
            self._scan_proven(scan)
            return
        event = self.engine.read(self.lot, scan)
        gateway.decided += 1
        answers.pack_decision(gateway.out, self.conn.ref, self.lot, event)

    def _scan_proven(self, scan: ReadCredential) -> None:
        """Kinds 1 and 3, QR codes and tags: what says that it can prove itself is proven first."""
        gateway = self.gateway
        if not gateway.proofs.prove(self, self.id, self.lot, scan):
            return
        event = self.engine.read(self.lot, scan)
        scan.proof = None
        gateway.decided += 1
        answers.pack_decision(gateway.out, self.conn.ref, self.lot, event)

    def _unusual_scan(self, message: m.Scan) -> None:
        """A SCAN that the fast way left alone, such as one with fields of a later version."""
        fields = self.gateway.fields
        fields.no, fields.at_ms, fields.lane = message.no, message.at_ms, message.lane
        fields.kind, fields.token = message.kind, message.token
        self._scan(fields)

    def _answer_again(self, numbering: Numbering, no: int) -> None:
        """A repeated scan gets its first answer. One that came as history never opens anything now."""
        event = numbering.answer(no)
        if isinstance(event, ScanDecided):
            answers.pack_decision(self.gateway.out, self.conn.ref, self.lot, event)
        else:
            answers.pack_too_old(self.gateway.out, self.conn.ref, no)

    def _record(self, message: Any, command: type[Any], *fields: Any) -> None:
        """PASSAGE and LANE_STATUS: decided once, acknowledged always."""
        self._count_in_flight()
        numbering = self.own_numbering()
        no = message.no
        if numbering.has(no):
            event = numbering.answer(no)
            position = getattr(event, "position", 0)
        else:
            lane = self.lane(message.lane)
            self.check_fits(numbering, no)
            if not self.check_accepting():
                return
            at_ms = min(message.at_ms, codes.TIME_MS_MAX)
            self.engine.do(self.lot, command(lane, numbering, no, at_ms, self.engine.now_ms, *fields))
            position = self.engine.position
        answers.pack_ack(self.gateway.out, self.conn.ref, no, position)

    def _passage(self, message: m.Passage) -> None:
        self._record(message, RecordPassage, message.what, message.session)

    def _lane_status(self, message: m.LaneStatus) -> None:
        self._record(message, ReportLane, message.barrier, message.loop, message.faults)

    def _replay(self, message: m.Replay) -> None:
        self._count_in_flight()
        if self.check_accepting():
            self.gateway.replays.park(self, message)

    def _time(self, message: m.TimeAsk) -> None:
        now_ms = self.gateway.now_ms
        self.send(m.Time(message.t0, now_ms, now_ms), self.conn.ref)

    def _ping(self, message: m.Ping) -> None:
        self.send(m.Pong(), self.conn.ref)

    def _nothing(self, message: m.Message) -> None:
        """PONG, TIME: that something came is all there is to know."""

    def _done(self, message: m.Done) -> None:
        self.gateway.policies.done(self, message, self.conn.ref)

    def _ends(self, message: m.Goodbye | m.Error) -> None:
        if isinstance(message, m.Error):
            log.info("gateway.peer_error", id=self.id, code=message.code, text=message.text)
            if not message.fatal:
                return
        self.close("goodbye")

    # -- what goes out

    def send(self, message: m.Message, ref: int = 0) -> None:
        """Pack a message for this peer."""
        self.gateway.send(self, message, ref)

    def reachable(self) -> bool:
        """Whether what is packed now has a way to the peer."""
        return not self.closing

    def wrap(self, run: bytes) -> bytes:
        """These frames of a round, durable by now, as what the peer reads."""
        return run

    def refuse(self, error: PeerError) -> None:
        """Answer ERROR, and after a fatal one end the connection once it is sent."""
        self.send(m.Error(int(error.code), error.text[:200], error.fatal), error.ref)
        if error.fatal:
            log.info("gateway.refused", id=self.id, peer=self.peer, code=int(error.code), text=error.text)
            self.closing = True

    def goodbye(self, reason: str) -> None:
        """End in order: GOODBYE, then nothing."""
        if not self.closing and not self.closed:
            self.send(m.Goodbye(reason))
            self.closing = True

    def close(self, reason: str) -> None:
        """End at once."""
        if not self.closed:
            self.closed = True
            self.gateway.own(self)  # so that the mover looks at this link in this round
            self.gateway.forget(self)
            log.debug("gateway.closed", id=self.id, peer=self.peer, reason=reason)

    def pump(self) -> None:
        """Send a subscriber what is durable, a frame at a time, as fast as it reads."""
        if self.feed is not None and not self.backlog and not self.closing:
            services.pump(self)

    def hungry(self) -> bool:
        """Whether there is more for this subscriber, and room to send it."""
        feed = self.feed
        durable = self.engine.journal.durable_position
        return feed is not None and not self.backlog and not self.closing and feed.position <= durable

    def keep(self, rest: bytes) -> None:
        """The mover could not send all: `rest` waits. Beyond the bound the peer is too slow."""
        if not self.backlog:
            self.stalled_ms = self.gateway.steady_ms
        self.backlog += rest
        if len(self.backlog) > self.gateway.config.output_bytes_max:
            self.close("too slow")

    def tick(self, steady_ms: int) -> None:
        """End what is too slow or silent; ask who has been silent for a while.

        A peer has a whole heartbeat to answer, counted from when it was asked: a pause of this process must
        not look like silence of all the others.
        """
        if self.closed:
            return
        silent_ms = steady_ms - self.heard_ms
        heartbeat_ms = self.gateway.config.heartbeat_s * 1000
        if self.backlog and steady_ms - self.stalled_ms > STALLED_MS:
            self._drop(Fault.TOO_SLOW)
        elif not self.role:
            if steady_ms - self.opened_ms >= SIGN_ON_MS:
                self._drop(Fault.REFUSED)
        elif self.pinged_ms:
            if steady_ms - self.pinged_ms >= heartbeat_ms:
                self.goodbye("silent")
        elif silent_ms >= heartbeat_ms:
            self.pinged_ms = steady_ms
            self.send(m.Ping())

    def _drop(self, code: Fault) -> None:
        """Say why, as far as the socket still takes it, and end."""
        if self.closing:
            self.close("ends too slowly")
        else:
            self.refuse(PeerError(code))


_HANDLERS: dict[int, Any] = {
    m.Hello.TYPE: signon.hello,
    m.Auth.TYPE: signon.auth,
    m.Scan.TYPE: Link._unusual_scan,
    m.Passage.TYPE: Link._passage,
    m.LaneStatus.TYPE: Link._lane_status,
    m.Replay.TYPE: Link._replay,
    m.Done.TYPE: Link._done,
    m.TimeAsk.TYPE: Link._time,
    m.Time.TYPE: Link._nothing,
    m.Ping.TYPE: Link._ping,
    m.Pong.TYPE: Link._nothing,
    m.Goodbye.TYPE: Link._ends,
    m.Error.TYPE: Link._ends,
    m.CommandMessage.TYPE: services.command,
    m.Query.TYPE: services.query,
    m.Subscribe.TYPE: services.subscribe,
    m.Cursor.TYPE: services.cursor,
}
