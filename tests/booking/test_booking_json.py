"""Bookings and offers as JSON and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.booking.ward import RAVI, Front, slot
from uhi.booking.appointments import Reach, held
from uhi.booking.booking_json import read_booking, read_offer_json, write_booking, write_offer
from uhi.booking.hospital import Window
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import OrderState
from uhi.errors import SetupError


async def test_an_offer_is_the_same_again(front: Front):
    """Ours: value for value, what came over the wire too; enough to confirm in a later life."""
    offer = await front.offered(slot(0))

    again = read_offer_json(write_offer(offer))

    assert again == offer
    assert (again.patient, again.terms, again.received.model_extra) == (RAVI, offer.terms, offer.received.model_extra)


async def test_a_booking_is_the_same_again_but_for_its_pin(front: Front):
    """Decision 37: a consumer writes no digits down."""
    booking = replace(
        held(await front.offered(slot(0))),
        state=OrderState.CANCELLED,
        pin="4711",
        pin_status="GENERATED",
        pin_valid=Window(slot(0).start, slot(0).end),
        cancellation=Cancellation(CancelledBy.DOCTOR, "DOCTOR_OTHER", "away"),
        reach=Reach(helpline_number="1800", messaging=True),
        offered_slot="slot-2",
    )

    text = write_booking(booking)

    assert b"4711" not in text
    assert read_booking(text) == replace(booking, pin="")
    assert read_booking(text, pin="4711") == booking


@pytest.mark.parametrize("text", [b"{}", b'{"order_id": "secret"}', b"[]"])
def test_what_is_none_is_refused_without_repeating_it(text):
    """Ours: a database of a newer release; nothing of a patient in an error."""
    with pytest.raises(SetupError, match="a kept booking cannot be read") as refused:
        read_booking(text)

    assert refused.value.__context__ is None
    assert "secret" not in str(refused.value)
