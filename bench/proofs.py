"""Proofs of tickets and tags: what each costs the loop, and what the prover's process does beside it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs.credentials import ntag424, ticket
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.keys import VerifyKey, is_signature
from liftgate.codecs.credentials.ntag424 import TagKeys
from liftgate.codecs.credentials.ticket import Ticket
from liftgate.gateways.prover import OUTSTANDING_MAX, Job, ProcessProver

SECRET = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
SIGNING, MACING = VerifyKey("2026a", "ed25519", PUBLIC), VerifyKey("m1", "hmac", SECRET)
TAG, UID = TagKeys("t1", SECRET[:16], SECRET[16:]), bytes.fromhex("04DE5F1EACC040")
TICKS_S = 0.001
"""How often a loop looks that shares its process with proofs: as often as rounds of a busy lane."""


class Loops(msgspec.Struct, frozen=True):
    """How late a loop came that wanted to look every millisecond: its 99th percentile, ms."""

    alone_ms: float
    process_ms: float
    thread_ms: float


class Proofs(msgspec.Struct, frozen=True):
    """Microseconds of one proof on the loop, best of the rounds; and the process, median of the rounds."""

    rounds: int
    read_us: float
    mac_us: float
    tag_us: float
    signature_us: float
    garbage_us: float
    process_per_s: float
    loop_late: Loops
    hash: str


def proofs(rounds: int = 5, seconds: float = 1.0) -> Proofs:
    """Measure all of it; the hash is of every answer that was found out."""
    signed = [_issue(number, "ed25519") for number in range(64)]
    maced = [_issue(number, "hmac") for number in range(64)]
    taps = [ntag424.tap(TAG, UID, number) for number in range(64)]
    rates, late = trio.run(_processed, signed, rounds, seconds)
    return Proofs(
        rounds=rounds,
        read_us=_best(rounds, seconds, signed, ticket.read),
        mac_us=_best(rounds, seconds, maced, lambda token: ticket.is_genuine(ticket.read(token), MACING)),
        tag_us=_best(rounds, seconds, taps, lambda token: ntag424.opened(ntag424.read(token), TAG)),
        signature_us=_best(
            rounds, seconds, signed, lambda token: ticket.is_genuine(ticket.read(token), SIGNING)
        ),
        garbage_us=_best(rounds, seconds, [b"LG1:" + b"x" * 180] * 64, _refused),
        process_per_s=round(sorted(rates)[len(rates) // 2]),
        loop_late=late,
        hash=_hash(signed, maced, taps),
    )


def _issue(number: int, alg: str) -> bytes:
    made = Ticket(cti=number.to_bytes(8, "big"), lot="north", expires_s=1_900_000_000)
    return ticket.issue(made, "2026a", alg, SECRET)


def _refused(token: bytes) -> None:
    try:
        ticket.read(token)
    except CredentialError:
        return
    raise AssertionError("garbage was read")


def _best(rounds: int, seconds: float, tokens: list[bytes], prove: Callable[[bytes], object]) -> float:
    """Microseconds for each, of the quickest eight in a row: others use the machine, too."""
    best, eight = float("inf"), [tokens[at : at + 8] for at in range(0, len(tokens), 8)]
    for _ in range(rounds):
        until = time.perf_counter() + seconds / 10
        while time.perf_counter() < until:
            for some in eight:
                began = time.perf_counter()
                for token in some:
                    prove(token)
                best = min(best, time.perf_counter() - began)
    return round(best / 8 * 1e6, 1)


async def _processed(signed: list[bytes], rounds: int, seconds: float) -> tuple[list[float], Loops]:
    """Proofs a second through the process, and how late a loop is alone, beside it, and beside a thread."""
    jobs = [Job(PUBLIC, sealed.over, sealed.seal) for sealed in map(ticket.read, signed)]
    prover, done = ProcessProver(), 0
    rates: list[float] = []
    busy = False

    def proved() -> None:
        nonlocal done
        answers = prover.answers()
        done += len(answers)
        if busy:
            for job, _ in answers:
                prover.ask(job)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(prover.run, proved)
        alone_ms = await _late_ms(seconds)
        busy = True
        for number in range(OUTSTANDING_MAX):
            prover.ask(jobs[number % len(jobs)])
        while not done:
            await trio.sleep(TICKS_S)
        for _ in range(rounds):
            before, began = done, trio.current_time()
            process_ms = await _late_ms(seconds)
            rates.append((done - before) / (trio.current_time() - began))
        nursery.cancel_scope.cancel()
    return rates, Loops(alone_ms, process_ms, await _beside_thread(jobs, seconds))


async def _beside_thread(jobs: list[Job], seconds: float) -> float:
    """The same beside a thread, which is what was not done."""
    stopped = False

    def work() -> None:
        while not stopped:
            for job in jobs:
                is_signature(job.public, job.over, job.seal)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, work)
        late_ms = await _late_ms(seconds)
        stopped = True
    return late_ms


async def _late_ms(seconds: float) -> float:
    """The 99th percentile of how late a sleep of a millisecond ends."""
    late = []
    until = trio.current_time() + seconds
    while trio.current_time() < until:
        began = time.perf_counter()
        await trio.sleep(TICKS_S)
        late.append(time.perf_counter() - began - TICKS_S)
    return round(sorted(late)[len(late) * 99 // 100] * 1e3, 2)


def _hash(signed: list[bytes], maced: list[bytes], taps: list[bytes]) -> str:
    """Of what all of them say: the same on every machine."""
    found = hashlib.sha256()
    for token, key in [*((each, SIGNING) for each in signed), *((each, MACING) for each in maced)]:
        sealed = ticket.read(token)
        found.update(sealed.ticket.cti + bytes((ticket.is_genuine(sealed, key),)))
    for token in taps:
        found.update(repr(ntag424.opened(ntag424.read(token), TAG)).encode())
    return found.hexdigest()[:16]
