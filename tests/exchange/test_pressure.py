"""Backpressure: what is refused when too much waits, and when to come back."""

from __future__ import annotations

from random import Random

import pytest

from gateway.relays import GATEWAY_LEGS
from uhi.actions import legs_of
from uhi.errors import Refusal
from uhi.exchange.pressure import Bounds, Pressure
from uhi.faults import OVERLOADED
from uhi.ports import Backlog
from uhi.subscribers import Role
from uhi.testing import FakeClock

BOUNDS = Bounds(low_bytes=100, high_bytes=200, low_messages=10, high_messages=20)
DISCOVERY = {"search", "on_search", "select", "on_select", "init", "on_init"}
COPIES = {"on_confirm_audit", "on_status_audit", "on_update_audit", "on_cancel_audit"}
ALWAYS = {"status", "on_status", "cancel", "on_cancel"}
PATHS = {leg.path for role in (Role.CONSUMER, Role.PROVIDER) for leg in legs_of(role)} | {
    leg.path for leg in GATEWAY_LEGS
}


def pressure(**fields: int) -> Pressure:
    made = Pressure(BOUNDS, FakeClock(jumps=False), Random(1))
    made.add(fields.pop("size", 0), messages=fields.pop("messages", 0))
    made.stored(Backlog(**fields))
    return made


def is_refused(made: Pressure, path: str) -> bool:
    try:
        made.check(path)
    except Refusal as refusal:
        return refusal.fault is OVERLOADED
    return False


def refused(made: Pressure) -> set[str]:
    return {path for path in PATHS if is_refused(made, path)}


@pytest.mark.parametrize("name", ["size", "messages", "stored", "unfinished"])
@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.99, set()),
        (1.0, DISCOVERY | COPIES),
        (1.99, DISCOVERY | COPIES),
        (2.0, PATHS - ALWAYS),
        (50.0, PATHS - ALWAYS),
    ],
)
def test_low_mark_refuses_discovery_and_high_mark_all_but_status_and_cancel(name, share, expected):
    """Reliability rules, backpressure: waiting bytes and messages, here and in the storage."""
    mark = 100 if name in ("size", "stored") else 10
    field = "size" if name == "stored" else name
    made = pressure()

    if name in ("size", "messages"):
        made.add(**{"size": 0} | {field: int(share * mark)})
    else:
        made.stored(Backlog(**{field: int(share * mark)}))

    assert refused(made) == expected


def test_rows_do_not_count():
    """Decision 23: one search for two thousand providers is one body and one message."""
    assert refused(pressure(letters=1_000_000, size=0)) == set()


def test_work_that_has_ended_makes_room():
    """Ours: what was added is removed."""
    made = pressure(size=250, messages=25)

    made.remove(200, messages=20)

    assert refused(made) == set()


def test_unknown_path_is_left_to_the_door():
    """Error table: 404, also under pressure that refuses searches."""
    assert not is_refused(pressure(size=150), "unheard/of")


def after(made: Pressure, path: str = "search") -> int:
    with pytest.raises(Refusal) as raised:
        made.check(path)
    assert raised.value.retry_after is not None
    return raised.value.retry_after


def test_refusal_says_when_the_excess_has_drained():
    """Reliability rules: Retry-After = estimated drain time with jitter; the more has ended lately, the sooner."""
    slow, quick = pressure(size=400), pressure(size=400)
    for made, share in ((slow, 5), (quick, 200)):
        made.add(share)
        made.remove(share)

    waits = [[after(made) for _ in range(100)] for made in (slow, quick)]

    assert all(40 <= wait <= 60 for wait in waits[0])
    assert all(15 <= wait <= 24 for wait in waits[1])
    assert min(len(set(each)) for each in waits) > 5


@pytest.mark.parametrize("done", [0, 1, 10_000_000])
def test_retry_after_is_between_one_second_and_a_minute(done):
    """Reliability rules: 1–60 s."""
    made = pressure(size=300)
    made.add(done, messages=done)
    made.remove(done, messages=done)

    assert {1 <= after(made, path) <= 60 for path in ("search", "confirm") for _ in range(100)} == {True}


async def test_what_ended_long_ago_says_nothing():
    """Ours: lately is some ten seconds."""
    made = pressure(size=1_300)
    made.remove(1_000)
    soon = after(made)

    await made.clock.advance(600)

    assert soon <= 4
    assert after(made) >= 40


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_clock_that_jumps_is_survived(jump):
    """Fault plans: clock jumps."""
    made = pressure(size=1_300)
    made.remove(500)

    made.clock.time += jump
    made.remove(500)

    assert 1 <= after(made) <= 60
