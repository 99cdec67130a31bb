"""How often somebody may come: bursts, rates, bad signatures, addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace

import pytest

from gateway.relays import RELAYED_ON_SEARCH, RELAYED_SEARCH
from uhi.actions import INIT, LOOKUP, SLOTS
from uhi.errors import Refusal
from uhi.exchange.rates import NO_LIMITS, RateRules, Rates, place_of
from uhi.faults import RATE_LIMITED
from uhi.signals.local import LocalWindows
from uhi.signals.redis_windows import RedisWindows
from uhi.signing import SignatureHeader
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock

APP = Subscriber("app.example", Role.CONSUMER, "https://app.example/uhi")
OTHER = Subscriber("other.example", Role.CONSUMER, "https://other.example/uhi")
HEADER = SignatureHeader("app.example", "k1", 0, 10, bytes(64))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rates(clock: FakeClock) -> Rates:
    return made(RateRules(), clock)


def made(rules: RateRules, clock: FakeClock) -> Rates:
    return Rates(rules, LocalWindows(clock), own=LocalWindows(clock), clock=clock)


async def taken(check: Callable[[], Awaitable[None]], tries: int) -> int:
    """How many of so many tries are let through."""
    outcomes = [await _outcome(check) for _ in range(tries)]
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert all(refusal.fault is RATE_LIMITED and 1 <= refusal.retry_after <= 120 for refusal in refused)
    return outcomes.count(None)


async def _outcome(check: Callable[[], Awaitable[None]]) -> Refusal | None:
    try:
        await check()
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("leg", "burst"),
    [(RELAYED_SEARCH, 20), (INIT.request, 100), (SLOTS.request, 100), (RELAYED_ON_SEARCH, 1_000), (LOOKUP, 1_000)],
    ids=["search at the gateway", "init", "second search", "on_search at the gateway", "lookup"],
)
async def test_burst_passes_and_then_the_rate(rates, clock, leg, burst):
    """Limits table: search 10/s burst 20, other actions 50/s burst 100; catalogues and lookups as we decided."""
    first = await taken(lambda: rates.check_sender(APP, leg), burst + 50)
    clock.time += 100
    later = 0
    for _ in range(100):
        later += await taken(lambda: rates.check_sender(APP, leg), burst)
        clock.time += 0.5

    assert first == burst
    assert 50 * burst / 2 * 0.7 <= later <= burst + 50 * burst / 2


async def test_who_keeps_a_little_below_the_rate_is_never_refused(rates, clock):
    """Limits table: 10 a second for ever, evenly."""
    passed = 0
    for _ in range(600):
        passed += await taken(lambda: rates.check_sender(APP, RELAYED_SEARCH), 1)
        clock.time += 1 / 9.5

    assert passed == 600


async def test_one_subscriber_does_not_use_up_anothers_rate(rates):
    """Limits table: per subscriber."""
    await taken(lambda: rates.check_sender(APP, INIT.request), 200)

    assert await taken(lambda: rates.check_sender(OTHER, INIT.request), 100) == 100
    assert await taken(lambda: rates.check_sender(APP, RELAYED_SEARCH), 20) == 20


async def test_address_may_ask_so_often(rates):
    """Issue: rate limits per address, before anything else is known of who asks."""
    assert await taken(lambda: rates.check_address("192.0.2.1"), 3_000) == 2_000
    assert await taken(lambda: rates.check_address("192.0.2.2"), 10) == 10


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::"),
        ("memory", "memory"),
        ("a:b", "a:b"),
    ],
)
def test_one_network_of_ipv6_is_one_address(address, place):
    """Ours: whoever has one number there has 2^64 of them."""
    assert place_of(address) == place


async def test_fifth_bad_signature_closes_the_door_for_a_minute(rates, clock):
    """Decision 24: 5 a minute per (address, key id), then 429 before anything is computed."""
    for _ in range(5):
        rates.check_key("192.0.2.1", HEADER)
        await rates.count_bad_signature("192.0.2.1", HEADER)

    with pytest.raises(Refusal) as refused:
        rates.check_key("192.0.2.1", HEADER)
    rates.check_key("192.0.2.2", HEADER)
    rates.check_key("192.0.2.1", replace(HEADER, key_id="k2"))
    rates.check_key("192.0.2.1", replace(HEADER, subscriber_id="other.example"))
    clock.time += refused.value.retry_after

    assert refused.value.fault is RATE_LIMITED
    assert refused.value.retry_after <= 61
    rates.check_key("192.0.2.1", HEADER)


async def test_clock_that_is_set_back_keeps_nobody_out(rates, clock):
    """Fault plan "clock jumps": a window is over after its own length at the latest."""
    for _ in range(5):
        await rates.count_bad_signature("192.0.2.1", HEADER)

    clock.time -= 86_400

    rates.check_key("192.0.2.1", HEADER)


async def test_made_up_addresses_and_keys_do_not_fill_the_memory(clock):
    """Overload: every table in memory is bounded."""
    rates = made(RateRules(bad_signatures=1), clock)
    for number in range(10_100):
        await rates.count_bad_signature(f"2001:db8:{number:x}::1", HEADER)

    assert len(rates._blocked) == 10_000


async def test_nought_is_no_limit(clock):
    """Ours: for what is measured on one machine."""
    rates = made(NO_LIMITS, clock)
    for _ in range(10):
        await rates.count_bad_signature("192.0.2.1", HEADER)

    rates.check_key("192.0.2.1", HEADER)
    assert await taken(lambda: rates.check_address("192.0.2.1"), 5_000) == 5_000
    assert await taken(lambda: rates.check_sender(APP, RELAYED_SEARCH), 1_000) == 1_000


def test_counting_in_memory_waits_for_nothing(rates):
    """Ours: with windows in memory a message goes on in the same turn of the loop."""
    for work in (
        rates.check_address("192.0.2.1"),
        rates.check_sender(APP, INIT.request),
        rates.count_bad_signature("192.0.2.1", HEADER),
    ):
        _ends_at_once(work)


def _ends_at_once(work: Coroutine[object, object, None]) -> None:
    with pytest.raises(StopIteration):
        work.send(None)


async def test_redis_that_is_away_refuses_nobody(clock, unused_tcp_port):
    """Issue "more than one process": each process counts for itself then, up to the same limit."""
    windows = RedisWindows(f"redis://127.0.0.1:{unused_tcp_port}", program="gateway.example", clock=clock)
    rates = Rates(RateRules(), windows, own=LocalWindows(clock), clock=clock)

    assert await taken(lambda: rates.check_sender(APP, RELAYED_SEARCH), 30) == 20
    await windows.aclose()
