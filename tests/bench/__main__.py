"""`make bench`: what a message costs here, each figure beside what it is measured against, in one run.

Absolute figures move with the machine: compare the ratios. Every measured program runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import platform
from statistics import median

from tests.bench.bookings import PER_SECOND as BOOKINGS_A_SECOND
from tests.bench.bookings import SENDERS as BOOKERS
from tests.bench.bookings import weigh_bookings
from tests.bench.crew import weigh_crews
from tests.bench.databases import POSTGRES, Databases, databases
from tests.bench.durable import MEMORY, PER_SECOND, SENDERS, Durable, weigh_durable
from tests.bench.hop import Hops, Weighed, weigh_catalogues, weigh_fan_out, weigh_hops
from tests.bench.hospital_search import show_hospital_search
from tests.bench.outbox import DESTINATIONS, PENDING, weigh_outbox
from tests.bench.patient_stream import DOCTORS as IN_AN_ANSWER
from tests.bench.patient_stream import TARGET_MS as STREAM_MS
from tests.bench.patient_stream import weigh_patient_stream
from tests.bench.signing import measure

_ROUNDS, _SEARCHES = 5, 1_500
_FEWER = 3
_DELIVERIES = 2_000
_BOOKINGS, _ACK_MS = 500, 100.0
_STREAMS = 30


def _row(name: str, figure: str, target: str = "") -> None:
    print(f"  {name:<52}{figure:>26}   {target}")


def _target(ratio: float, most: float) -> str:
    return f"target ≤ {most:g}: {'held' if ratio <= most else 'MISSED'}"


def _show_signing(micros: dict[str, float]) -> None:
    print("\nVerify and sign, 2 KB body (processor µs; bare: hashlib and PyNaCl on the same bytes)")
    for profile in ("uhi", "beckn"):
        ours, bare = micros[profile], micros[f"bare_{profile}"]
        ratio = ours / bare
        _row(f"{profile.upper()}: ours / bare", f"{ours:.1f} / {bare:.1f} = {ratio:.2f}", _target(ratio, 1.2))


def _show_hops(hops: Hops) -> None:
    full, stripped = (median(each.micros for each in weighed) for weighed in (hops.gateway, hops.unchecked))
    crypto = median(hops.crypto)
    excess = median(
        (ours.micros - bare.micros) / micros
        for ours, bare, micros in zip(hops.gateway, hops.unchecked, hops.crypto, strict=True)
    )
    refused = sum(each.sent.refused for each in (*hops.gateway, *hops.unchecked))
    print(f"\nOne gateway hop, 2 KB search to one provider ({_ROUNDS} rounds of {_SEARCHES}, {refused} refused)")
    _row("everything: processor µs, messages/s", f"{full:.0f}, {_rate(hops.gateway):.0f}")
    _row("the same forwarder, nothing checked or signed", f"{stripped:.0f}, {_rate(hops.unchecked):.0f}")
    _row("throughput, everything / unchecked", f"{_rate(hops.gateway) / _rate(hops.unchecked):.2f}")
    _row("bare digest + verify + sign, µs", f"{crypto:.1f}")
    _row("excess over unchecked / bare crypto", f"{full - stripped:.0f} µs = {excess:.2f}", _target(excess, 2.5))


def _rate(weighed: list[Weighed]) -> float:
    return median(each.count / each.elapsed for each in weighed)


async def _show_fan_out() -> None:
    print("\nOne search fanned out to N providers, each a host of its own (connections warm; median of the searches)")
    first = 0.0
    for providers, count in ((1, 60), (10, 40), (100, 20), (1_000, 8)):
        weighed = await weigh_fan_out(providers, count)
        first = first or weighed.ack_ms
        each = weighed.processor / weighed.count / providers * 1e6
        figure = f"{weighed.ack_ms:.2f} ms, {weighed.elapsed * 1e3:.1f} ms, {each:.0f} µs"
        _row(
            f"N = {providers}: to the ACK, to the last delivery, processor each",
            figure,
            f"ACK ratio to N = 1: {weighed.ack_ms / first:.2f}",
        )


async def _show_catalogues() -> None:
    print("\nA catalogue on its way back through the gateway")
    for size, count in ((1_000, 600), (10_000, 600), (100_000, 200)):
        weighed = await weigh_catalogues(size, count)
        _row(
            f"on_search of {size // 1000} KB: processor µs, messages/s", f"{weighed.micros:.0f}, {_rate([weighed]):.0f}"
        )


def _held(is_held: bool, target: str) -> str:
    return f"target {target}: {'held' if is_held else 'MISSED'}"


async def _show_durable(where: Databases) -> None:
    weighed = await weigh_durable(where, _FEWER, _SEARCHES)
    memory = weighed[MEMORY]
    print(f"\nThe same hop with a journal on disk, {SENDERS} senders, all storages in turns")
    for name, each in weighed.items():
        ratio = each.per_second / memory.per_second
        figure = f"{each.micros:.0f}, {each.per_second:.0f}"
        _row(f"{name}: processor µs, messages/s", figure, "" if name == MEMORY else _share(ratio))
    for name, each in weighed.items():
        if name != MEMORY:
            largest, size = each.groups["largest"], each.group_size
            _row(f"{name}: writes that share a commit, most of them", f"{size:.1f}, {largest}")
    print(
        f"  time to the ACK: at {SENDERS} senders that do not wait; at {PER_SECOND:g} messages/s, half and 99 % below"
    )
    for name, each in weighed.items():
        _show_latency(name, each, memory)


def _share(ratio: float) -> str:
    return f"{ratio:.2f} of memory, {_held(ratio >= 0.7, '≥ 0.7')}"


def _show_latency(name: str, each: Durable, memory: Durable) -> None:
    half, most = each.easy_ms
    added = half - memory.easy_ms[0]
    figure = f"{each.full_ms:.1f} ms; {half:.1f}, {most:.1f} ms"
    target = f"{added:+.1f} ms, {_held(added <= 5, '≤ 5 ms')}"
    _row(name, figure, "" if name == MEMORY else target)


async def _show_crews(where: Databases) -> None:
    if POSTGRES not in where.names:
        return
    rates = await weigh_crews(where, _FEWER, _SEARCHES)
    ratio = rates[2] / rates[1]
    print("\n`uhi gateway serve --workers N` on one PostgreSQL (senders, providers and database beside them)")
    _row("1 worker, 2 workers: messages/s", f"{rates[1]:.0f}, {rates[2]:.0f}", f"{ratio:.2f}, target ≥ 1.6 where two")
    print(f"  {'':<52}{'':>26}   processors are free; here are {os.cpu_count()} for all of it")


async def _show_outbox(where: Databases) -> None:
    print(f"\n{PENDING} letters in the outbox of a killed process, to {DESTINATIONS} destinations")
    for name in where.names:
        drained = await weigh_outbox(where, name)
        is_fast = drained.per_second >= _DELIVERIES
        _row(f"{name}: deliveries/s", f"{drained.per_second:.0f}", _held(is_fast, f"≥ {_DELIVERIES}"))
        _row(
            f"{name}: all delivered after the start", f"{drained.seconds:.1f} s", _held(drained.seconds < 10, "< 10 s")
        )
        if not is_fast:
            print((await weigh_outbox(where, name, profiles=True)).profile)


async def _show_bookings(where: Databases) -> None:
    print(f"\n{_BOOKINGS} whole bookings (init, confirm, callbacks, audit copies) through one hospital of 100 doctors")
    for name in where.names:
        full = await weigh_bookings(where, name, count=_BOOKINGS, per_second=None)
        easy = await weigh_bookings(where, name, count=_BOOKINGS)
        cost = f"{full.per_second:.0f}, {full.ms_each:.1f} ms"
        is_fast = full.per_second >= BOOKINGS_A_SECOND
        target = _held(is_fast, f"≥ {BOOKINGS_A_SECOND:g}/s")
        _row(f"{name}: bookings/s of {BOOKERS} senders, processor each", cost, target)
        for action in easy.acks:
            half, most = easy.ms(action)
            target = _held(most <= _ACK_MS, f"99 % ≤ {_ACK_MS:g} ms")
            _row(f"{name}: {action} to its ACK at {BOOKINGS_A_SECOND:g}/s", f"{half:.1f}, {most:.1f} ms", target)
        _row(f"{name}: processor each at {BOOKINGS_A_SECOND:g}/s", f"{easy.ms_each:.1f} ms")
        if full.confirmed < _BOOKINGS or easy.confirmed < _BOOKINGS:
            _row(f"{name}: not confirmed", f"{2 * _BOOKINGS - full.confirmed - easy.confirmed}")


async def _show_patient_stream(where: Databases) -> None:
    print(
        f"\nFrom an on_search of {IN_AN_ANSWER} doctors at the patient's backend to the patient's stream, one process"
    )
    for name, streamed in (await weigh_patient_stream(where, _STREAMS)).items():
        half, most = streamed.ms
        target = _held(half <= STREAM_MS, f"half ≤ {STREAM_MS:g} ms")
        _row(f"{name}: half, 99 % below", f"{half:.1f}, {most:.1f} ms", target)


async def _main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, uvloop, loopback")
    print("Limits on searches and on what may wait are raised out of reach.")
    micros = measure()
    _show_signing(micros)
    _show_hops(await weigh_hops(_ROUNDS, _SEARCHES))
    await _show_fan_out()
    await _show_catalogues()
    async with databases() as where:
        await _show_durable(where)
        await _show_crews(where)
        await _show_outbox(where)
        await _show_bookings(where)
        await show_hospital_search(where, _row)
        await _show_patient_stream(where)


if __name__ == "__main__":
    asyncio.run(_main())
