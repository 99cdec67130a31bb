"""`make bench`: what a message costs here, each figure beside what it is measured against, in one run.

Absolute figures move with the machine: compare the ratios. Every measured program runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import platform
from statistics import median

from tests.bench.hop import Hops, Weighed, weigh_catalogues, weigh_fan_out, weigh_hops
from tests.bench.signing import measure

_ROUNDS, _SEARCHES = 5, 1_500


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


async def _main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, uvloop, loopback")
    micros = measure()
    _show_signing(micros)
    _show_hops(await weigh_hops(_ROUNDS, _SEARCHES))
    await _show_fan_out()
    await _show_catalogues()


if __name__ == "__main__":
    asyncio.run(_main())
