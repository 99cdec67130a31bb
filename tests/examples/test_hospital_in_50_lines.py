"""The hospital in 50 lines keeps the promises of the port."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examples.hospital_in_50_lines.hospital import DictHospital
from tests.booking.ward import DAY, MEENA, RAVI, slot
from uhi.booking import Appointment
from uhi.errors import SlotUnavailable

NOW, UNTIL = DAY - timedelta(days=1), DAY - timedelta(hours=23)


async def test_the_same_patient_again_gets_the_hold_there_is():
    """The Hospital protocol: prolonged, never shortened, and nobody else's."""
    hospital = DictHospital([slot(0)], now=lambda: NOW)
    first = await hospital.hold("slot-0", patient=RAVI, until=UNTIL)

    again = await hospital.hold("slot-0", patient=RAVI, until=NOW)

    assert again == first
    with pytest.raises(SlotUnavailable):
        await hospital.hold("slot-0", patient=MEENA, until=UNTIL)


async def test_the_same_hold_again_is_the_same_appointment():
    """The Hospital protocol: and a release that comes late does not undo it."""
    hospital = DictHospital([slot(0)], now=lambda: NOW)
    hold = await hospital.hold("slot-0", patient=RAVI, until=UNTIL)

    first, again = await hospital.book(hold), await hospital.book(hold)
    await hospital.release(hold)

    assert first == again == await hospital.appointment(first.id)
    assert isinstance(first, Appointment)


async def test_a_lapsed_hold_is_not_given_again():
    """The Hospital protocol: it is free; whoever comes gets a hold of their own."""
    moments = [NOW]
    hospital = DictHospital([slot(0)], now=lambda: moments[-1])
    first = await hospital.hold("slot-0", patient=RAVI, until=UNTIL)
    moments.append(UNTIL)

    second = await hospital.hold("slot-0", patient=RAVI, until=UNTIL + timedelta(hours=1))

    assert second.id != first.id
