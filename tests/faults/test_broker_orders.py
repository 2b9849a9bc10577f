"""What the engine orders reaches readers behind a real mosquitto, whoever is killed meanwhile."""

import asyncio
import hashlib
import time
from pathlib import Path

import msgspec
import pytest

from deploy.services import Service
from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from tests.faults.broker_site import POLL_S, READER, broker_reader, site
from tests.independent.engine_process import ENTRY

pytestmark = pytest.mark.long

OFFLINE = '[lot.rules.offline]\nhours = 5\ncards = "known"\n'
CARD = 2
OLD_S = 11
"""After that an order is old: here it is time itself that is waited for."""


def test_orders_reach_a_reader_and_its_done_ends_them(tmp_path: Path, own_mosquitto: Service) -> None:
    """VEND, SET_LANE and DISPLAY by an operator, TIME for who asks; a reader elsewhere is away."""

    async def run() -> None:
        port = own_mosquitto.port
        async with site(tmp_path, port) as (_, desk), broker_reader(port) as reader:
            await desk.wait_vended()  # it was asked, and answered, although no car came
            vend = await reader.next(m.Vend)
            assert vend.message == m.Vend(ENTRY, "lost ticket") and len(vend.correlation or b"") == 4
            assert vend.expiry_s is not None and 1 <= vend.expiry_s <= 10
            left_ms = int(vend.user["until_ms"]) - time.time() * 1000
            assert 0 < left_ms <= 10_000
            assert await desk.order("set_lane", reader=READER, lane=ENTRY, mode=3) == ""
            mode = await reader.next(m.SetLane)
            assert mode.message == m.SetLane(ENTRY, 3) and mode.expiry_s is None
            args = {"reader": READER, "lane": ENTRY, "text": "Closed", "seconds": 5}
            assert await desk.order("display", **args) == ""
            assert (await reader.next(m.Display)).message == m.Display(ENTRY, "Closed", 5)
            await reader.say(m.TimeAsk(5), b"any", qos=0)
            told = await reader.next(m.Time)
            assert told.correlation == b"any" and told.message.t0 == 5
            assert abs(told.message.t1 - time.time() * 1000) < 10_000
            assert await desk.vend("north-r1") == "reader_away"
            assert reader.count(m.Vend) == 1

    asyncio.run(run())


def test_a_reader_takes_its_policy_and_uses_it_alone(tmp_path: Path, own_mosquitto: Service) -> None:
    """While the gateway is gone it opens for who is known and not for who is denied; what it did is told
    later, and nothing is found against it."""

    def name_of(token: bytes) -> bytes:
        return hashlib.sha256(bytes((CARD,)) + token).digest()

    async def run() -> None:
        port = own_mosquitto.port
        async with site(tmp_path, port, rules=OFFLINE) as (all_of_it, desk):
            (gateway,) = all_of_it.gateways
            for token in (b"good", b"bad"):
                assert await desk.order("register_credential", kind=CARD, token=token) == ""
            assert await desk.order("deny_credential", kind=CARD, token=b"bad") == ""
            async with broker_reader(port) as reader:
                await reader.say(m.Ping(), qos=0)
                policy = (await reader.next(m.Policy)).message
                await desk.wait_policy("taken")
                gateway.kill()
                may_open = [
                    token
                    for token in (b"good", b"bad", b"new")
                    if name_of(token)[:8] in policy.offline["known"] and name_of(token) not in policy.deny
                ]
                assert may_open == [b"good"] and policy.offline["hours"] == 5
                alone = m.Scan(1, int(time.time() * 1000), ENTRY, CARD, may_open[0])
                gateway.start()
                entry = m.ReplayEntry(m.Scan.TYPE, m.OPEN, msgspec.Raw(m.encode(alone)))
                await reader.say(m.Replay((entry,)), b"told")
                replayed = (await reader.next(m.Replayed)).message
                assert replayed.done_to == 1 and replayed.findings == ()

    asyncio.run(run())


def test_the_gateway_is_killed_between_an_order_and_its_done(tmp_path: Path, own_mosquitto: Service) -> None:
    """The next one brings DONE; a VEND that comes twice for that is one order, by its correlation data."""

    async def run() -> None:
        port = own_mosquitto.port
        async with site(tmp_path, port, rules=OFFLINE) as (all_of_it, desk), broker_reader(port) as reader:
            (gateway,) = all_of_it.gateways
            reader.holds = True
            await reader.say(m.Ping(), qos=0)
            policy = await reader.next(m.Policy)
            await desk.wait_policy("sent")
            assert await desk.vend() == ""
            vend = await reader.next(m.Vend)
            gateway.kill()
            await reader.say(m.Done(True, ""), policy.correlation)
            await reader.say(m.Done(True, ""), vend.correlation)
            reader.holds = False  # on a busy machine the next one comes so late that POLICY is told anew
            gateway.start()
            await desk.wait_policy("taken")
            await desk.wait_vended()
            while (later := await reader.next(m.Vend)).correlation == vend.correlation:
                pass  # the broker had it, and the gateway had not said so yet
            assert later.message == vend.message

    asyncio.run(run())


def test_who_is_gone_is_away_and_who_comes_back_is_there(tmp_path: Path, own_mosquitto: Service) -> None:
    """The broker says that nobody is there for an order; an engine that starts anew asks who is."""

    async def run() -> None:
        port = own_mosquitto.port
        async with site(tmp_path, port) as (all_of_it, desk):
            async with broker_reader(port) as reader:
                await desk.wait_vended()
                await reader.next(m.Vend)
            await desk.wait_away()
            async with broker_reader(port) as reader:
                all_of_it.engine.kill()
                await asyncio.to_thread(all_of_it.engine.start)
                await desk.wait_vended()
                await reader.next(m.Vend)
                await reader.say(m.Goodbye("power lost"))
                await desk.wait_away()

    asyncio.run(run())


def test_of_gateways_that_share_readers_one_brings_an_order(tmp_path: Path, own_mosquitto: Service) -> None:
    """Each VEND comes once, and when one of them is killed the other brings what follows."""

    async def run() -> None:
        port, many = own_mosquitto.port, 20
        async with (
            site(tmp_path, port, ("mqtt", "mqtt2")) as (all_of_it, desk),
            broker_reader(port) as reader,
        ):
            await desk.wait_vended()
            refs = [(await reader.next(m.Vend)).correlation]
            for _ in range(many):
                assert await desk.vend() == ""
                refs.append((await reader.next(m.Vend)).correlation)
            assert await desk.order("set_lane", reader=READER, lane=ENTRY, mode=1) == ""
            await reader.next(m.SetLane)
            assert reader.count(m.Vend) == many + 1
            assert len({topics.parse_ref(ref) for ref in refs}) == len(refs) == many + 1
            all_of_it.gateways[0].kill()
            await desk.wait_vended()
            while (await reader.next(m.Vend)).correlation in refs:
                pass  # what the killed one had brought and not said so

    asyncio.run(run())


def test_an_order_that_found_no_broker_opens_nothing_later(tmp_path: Path, own_mosquitto: Service) -> None:
    """The broker is dead for longer than an order is good for: its reader is away, and it is forgotten."""

    async def run() -> None:
        port = own_mosquitto.port
        async with site(tmp_path, port) as (_, desk):
            async with broker_reader(port) as reader:
                await desk.wait_vended()
                own_mosquitto.kill()
                assert await desk.vend() == ""  # nobody can know yet
                await asyncio.sleep(OLD_S)
                assert await desk.vend() == "reader_away"
            own_mosquitto.start()
            async with broker_reader(port) as reader:
                args = {"reader": READER, "lane": ENTRY, "text": "Welcome back", "seconds": 5}
                while await desk.order("display", **args):
                    await reader.say(m.Ping(), qos=0)
                    await asyncio.sleep(POLL_S)
                await reader.next(m.Display)
                assert reader.count(m.Vend) == 0

    asyncio.run(run())
