"""A consumer's booking and offer as JSON and back: what a store on disk seals.

Pure. The PIN's digits are left out: a consumer never writes them down. Above: `uhi.booking.sql_diary`, applications
that keep offers. Source: decision 37.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter

from uhi.booking.appointments import Booking
from uhi.booking.offers import Offer
from uhi.booking.plain_json import read_value, write_value


def write_booking(booking: Booking) -> bytes:
    """Return the JSON of a booking, without the digits of its PIN."""
    return write_value(replace(booking, pin=""))


def read_booking(text: bytes, *, pin: str = "") -> Booking:
    """Return the booking that was written, with a PIN that was kept elsewhere.

    Raises: SetupError for what `write_booking` did not write.
    """
    return replace(read_value(_bookings(), text, what="booking"), pin=pin)


def write_offer(offer: Offer) -> bytes:
    """Return the JSON of an offer: all of the patient is in it, so seal it."""
    return write_value(offer)


def read_offer_json(text: bytes) -> Offer:
    """Return the offer that was written.

    Raises: SetupError for what `write_offer` did not write.
    """
    return read_value(_offers(), text, what="offer")


@cache
def _bookings() -> TypeAdapter[Booking]:
    return TypeAdapter(Booking)


@cache
def _offers() -> TypeAdapter[Offer]:
    return TypeAdapter(Offer)
