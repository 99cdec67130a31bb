"""How far our clock may be off: warned beyond half a second, not signing beyond five."""

from __future__ import annotations

import logging

import pytest

from uhi.errors import DeliveryError
from uhi.exchange.clock_offset import ClockOffset
from uhi.testing import FakeClock


@pytest.mark.case("REL-04")
def test_each_change_is_told_once(caplog):
    """Decision 16: beyond 0.5 s a warning, beyond 5 s an error and no signing; once for each change."""
    caplog.set_level(logging.INFO)
    offset = ClockOffset(FakeClock())

    for seconds in (0.4, -0.6, 0.7, 5.1, -7.0, 4.9, 0.0):
        offset.measured(seconds)

    assert [record.levelno for record in caplog.records] == [
        logging.WARNING,
        logging.ERROR,
        logging.WARNING,
        logging.INFO,
    ]


@pytest.mark.parametrize(("seconds", "is_stopped"), [(5.0, False), (-5.0, False), (5.01, True), (-5.01, True)])
def test_signing_stops_beyond_five_seconds(seconds, is_stopped):
    """Decision 16, at its edge, in both directions."""
    offset = ClockOffset(FakeClock())

    offset.measured(seconds)

    assert offset.is_stopped is is_stopped


def test_what_the_way_may_have_taken_does_not_count():
    """Ours: an answer that was three seconds on its way tells the time no better than that."""
    offset = ClockOffset(FakeClock())

    offset.measured(5.5, uncertainty=1.5)

    assert not offset.is_stopped


async def test_it_is_measured_again_once_in_five_seconds_while_stopped():
    """Ours: a program that signs nothing must notice by itself that its clock is right again."""
    clock, asked = FakeClock(), []
    offset = ClockOffset(clock)

    async def ask() -> None:
        asked.append(clock.now())
        if len(asked) == 2:
            offset.measured(0.0)

    offset.ask_by(ask)
    offset.measured(60.0)

    for _ in range(2):
        with pytest.raises(DeliveryError, match="clock is wrong"):
            await offset.check()
    clock.time += 5
    await offset.check()

    assert len(asked) == 2
