"""What a consumer knows of its bookings: each message has its effect once, and every change is told.

In memory. Above: `uhi.booking.consumer`, which hears the answers twice, from whoever waits and from a handler.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from uhi.booking.appointments import Booking, heard, unheard_of
from uhi.booking.found import FoundDoctor
from uhi.booking.news import BookingNews, Events, LateDoctors, Readers
from uhi.messages import Order
from uhi.messages.wire import Wire
from uhi.verified import Thread, Verified

log = logging.getLogger(__name__)


class Diary:
    """Bookings by provider and order id."""

    def __init__(self) -> None:
        self._bookings: dict[tuple[str, str], Booking] = {}
        self._called_off: set[tuple[str, str]] = set()
        self._readers = Readers()

    def known(self, thread: Thread, order_id: str) -> Booking | None:
        """Return what is known of an order of the thread's provider."""
        return self._bookings.get((thread.provider_id, order_id))

    def open(self, booking: Booking) -> Booking:
        """Enter a booking unless it is there; returns the one that is."""
        return self._bookings.setdefault(_key(booking), booking)

    def take(self, order: Order, answer: Verified[Wire], *, about: str, opens: bool = False) -> Booking | None:
        """Let a message have its effect; None where it is about an order that is not known here.

        `opens`: we asked for it, so it may bring in an order that we have forgotten.
        """
        known = self.known(answer.thread, order.id or "")
        if known is None and opens:
            known = unheard_of(order, answer.thread)
        if known is None:
            log.warning("%s from %s is about an order that is not known here", about, answer.thread.provider_id)
            return None
        code = (answer.error.code if answer.error else None) or ""
        return self.keep(heard(known, order), about=about, late=answer.is_late, code=code)

    def keep(self, booking: Booking, *, about: str, late: bool = False, code: str = "") -> Booking:
        """Keep a booking, and tell everybody who reads the news if it has changed."""
        if self._bookings.get(_key(booking)) != booking:
            self._bookings[_key(booking)] = booking
            self._readers.tell(BookingNews(booking, about, late, code))
        return booking

    def found_late(self, doctors: Iterable[FoundDoctor]) -> None:
        """Tell of doctors whose search has stopped waiting."""
        self._readers.tell(LateDoctors(tuple(doctors)))

    def must_call_off(self, booking: Booking) -> bool:
        """Whether a booking was confirmed at another price and nobody calls it off yet; then the caller does."""
        if not booking.price_mismatch or _key(booking) in self._called_off:
            return False
        self._called_off.add(_key(booking))
        return True

    def not_called_off(self, booking: Booking) -> None:
        """The attempt failed; the next message about the booking makes another."""
        self._called_off.discard(_key(booking))

    def join(self) -> Events:
        """Return the news from now on."""
        return self._readers.join()


def _key(booking: Booking) -> tuple[str, str]:
    return booking.thread.provider_id, booking.order_id
