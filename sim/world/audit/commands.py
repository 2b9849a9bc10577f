"""Commands: each is done once, does what it says and no more, and is answered alike."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import lane_orders, registry_orders, stay_orders
from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.orders import ORDERS, effect_of, result_of, seen_of, true_refusals
from liftgate.sim.world.audit.records import Event, Record, plain, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

_EFFECTS = {effect for effect, _ in ORDERS.values()} | stay_orders.MAKES


class Command:
    """A COMMAND as its service sent it. done: its record; outcome: the first answer to it."""

    def __init__(self, service: str, lot: str, name: str, args: dict[str, Any]) -> None:
        self.service = service
        self.lot = lot
        self.name = name
        self.args = args
        self.done: Event | None = None
        self.outcome: list[Any] | None = None


class _OfLanes:
    """What an order about lanes made since the last order or record: several events are one order's.

    made: those that name who ordered them; released: a plan's holds that ended; before: the facts before.
    """

    def __init__(self) -> None:
        self.made: list[Event] = []
        self.released: list[Event] = []
        self.before: lane_orders.Before | None = None

    def clear(self) -> None:
        self.made, self.released, self.before = [], [], None

    def first(self) -> Event | None:
        return self.made[0] if self.made else None

    def takes(self, event: Event, lot: Lot) -> bool:
        """Keep an order's event, or the end of a hold, which may be one's."""
        if event["type"] == r.PLACES_HELD:
            self.released.append(event)
            return True
        if not lane_orders.ordered(event):
            return False
        if self.before is None:
            self.before = lane_orders.Before(lot)
        self.made.append(event)
        return True


class Commands(Chapter):
    """What an order changes stands right before the record that it is done, and nowhere else.

    told: by lot and id; pending: per lot the change that is to be followed by its order, and what the order
    should answer, as far as that is seen before the change; rules: as they held before it. The drift that a
    counted number shows stands between the two.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.told: dict[tuple[str, bytes], Command] = {}
        self.pending: dict[str, Event] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.lanes = _OfLanes()

    def record(self, record: Record) -> None:
        """What an order did stands in one record with it."""
        if self.lanes.made:
            self.find("no command", tell(self.lanes.made[0]), "its command next, in the same record")
        self.lanes.clear()

    def command(self, service: str, id: bytes, lot: str, name: str, args: dict[str, Any]) -> None:
        self.told.setdefault((lot, id), Command(service, lot, name, plain(args)))

    # -- what is on record

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.DONE:
            self._judge_done(event, lot)
            self.lanes.clear()
        elif lot.id in self.pending and event["type"] == r.FINDING and event["kind"] == "drift":
            return
        elif lot.id in self.pending and stay_orders.goes_along(self.pending[lot.id], event):
            return
        elif lot.id in self.pending and registry_orders.goes_along(self.pending[lot.id], event):
            return
        elif lot.id not in self.pending and self.lanes.takes(event, lot):
            return
        elif lot.id in self.pending or self.lanes.made:
            first = self.pending.get(lot.id) or self.lanes.made[0]
            self.find("no command", tell(first), f"its command next, not {tell(event)}")
        elif event["type"] in _EFFECTS and not stay_orders.by_rule(event):
            self.pending[lot.id] = event
            self.results[lot.id] = result_of(event, lot)
            self.rules[lot.id] = lot.rules

    def _judge_done(self, event: Event, lot: Lot) -> None:
        effect, result = self.pending.pop(lot.id, None), self.results.pop(lot.id, {})
        command = self.told.get((lot.id, event["id"]))
        if command is None or (command.service, command.name) != (event["service"], event["name"]):
            self.find("nobody's command", tell(event), "a command as a service sent it")
        elif command.done is not None:
            self.find("done twice", tell(event), f"it was done once: {tell(command.done)}")
        elif event["ok"] and command.name in lane_orders.TAKES:
            command.done = event
            self._judge_lanes(event, command, effect, lot)
        elif event["ok"]:
            command.done = event
            self._judge_effect(event, command, effect or self.lanes.first(), result, lot)
        else:
            command.done = event
            self._judge_refused(event, command, effect, lot)

    def _judge_effect(
        self, event: Event, command: Command, effect: Event | None, result: dict[str, Any], lot: Lot
    ) -> None:
        expected = effect_of(command.name, command.args, self.rules.get(command.lot, {}), lot)
        if command.name == "lost_ticket" and effect is not None and effect["type"] == r.NAMED:
            expected = stay_orders.named_by(command.args)
        found = None if effect is None else {name: seen_of(effect).get(name) for name in expected}
        if found != expected:
            self.find("did otherwise", f"{tell(event)}, after {effect and tell(effect)}", f"{expected}")
        if (event["code"], event["body"]) != ("", result):
            self.find("wrong outcome", tell(event), f"body {result}")

    def _judge_lanes(self, event: Event, command: Command, other: Event | None, lot: Lot) -> None:
        """An order of lanes may make several events, or find nothing that it changes in a scope."""
        name, args, made = command.name, command.args, self.lanes.made
        before = self.lanes.before or lane_orders.Before(lot)
        expected = lane_orders.effects(name, args, before, lot, event["at_ms"])
        found = [one for one in made if name != "cancel_plan" or one["type"] == r.PLAN_CANCELLED]
        cut = [{field: one.get(field) for field in each} for one, each in zip(found, expected, strict=False)]
        if other is not None or not expected or len(found) != len(expected) or plain(cut) != plain(expected):
            did = ", ".join(tell(one) for one in made)
            self.find("did otherwise", f"{tell(event)}, after {did}", f"{expected}")
            return
        holds = [one for one in self.lanes.released if one["plan"] == args.get("name")]
        done = [*holds, *made] if name == "cancel_plan" else made
        body = lane_orders.body(name, args, before, lot, done)
        if (event["code"], lane_orders.in_order(event["body"])) != ("", body):
            self.find("wrong outcome", tell(event), f"body {body}")

    def _judge_refused(self, event: Event, command: Command, effect: Event | None, lot: Lot) -> None:
        true = true_refusals(command.name, command.args, lot, event["at_ms"])
        effect = effect or self.lanes.first()
        if effect is not None or event["code"] not in true:
            self.find("wrongly refused", tell(event), f"one of {sorted(true)}, and nothing done")

    # -- what is answered

    def outcome(self, service: str, id: bytes, ok: bool, code: str, body: Any, position: int) -> None:
        command = next((c for (_, known), c in self.told.items() if known == id), None)
        if command is None:
            return
        said = [ok, code, plain(body), position]
        if command.done is not None:
            expected = [command.done[name] for name in ("ok", "code", "body", "position")]
            if said != expected:
                self.find(
                    "outcome otherwise", f"{command.name} {id.hex()}: {said}", f"as on record: {expected}"
                )
        elif command.name == "read_credential":
            self._judge_scanned(command, said)
        elif code not in self._unrecorded(command):
            text = f"OUTCOME {said} of {command.name} {id.hex()}"
            self.find("answered, not durable", text, "its record is on stable storage")
        if command.outcome is not None and command.outcome[:3] != said[:3]:
            self.find("another answer", f"{command.name} {id.hex()}: {said}", f"again {command.outcome}")
        command.outcome = said

    def _unrecorded(self, command: Command) -> set[str]:
        """Codes by which a command may be refused before it reaches a lot."""
        config = self.audit.config
        service = next(each for each in config.services if each.id == command.service)
        codes = set() if command.name in service.may else {"not_allowed"}
        seen = [lot.id for lot in config.lots if service.lots is None or lot.id in service.lots]
        return codes if command.lot in seen else codes | {"no_such_lot"}

    def _judge_scanned(self, command: Command, said: list[Any]) -> None:
        """A scan for somebody: the same decision as by the reader's own connection."""
        args, (ok, _, body, position) = command.args, said
        event = self.audit.recorded.get((args["reader"], args["boot"], args["no"]))
        if not ok or body["reason"] == 205:
            return
        if event is None:
            text = f"OUTCOME {said} of a scan"
            self.find("answered, not durable", text, "its record is on stable storage")
        elif any(body[name] != event[name] for name in _SCANNED) or position != event["position"]:
            self.find("outcome otherwise", f"a scan for somebody: {said}", tell(event))

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for (_, id), command in self.told.items():
            if command.outcome is None:
                text = f"{command.service} got no outcome of {command.name} {id.hex()}"
                self.find("never answered", text, "an outcome of each command once faults are over")


_SCANNED = ("verdict", "reason", "session")
