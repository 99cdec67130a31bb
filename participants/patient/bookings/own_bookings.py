"""What the application keeps of an account's bookings, for its export and its erasure.

Above: the program; below: `desk`, `rows`. Source: case IAM-17.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from participants.patient.bookings.desk import BookingDesk, Shown
from participants.patient.bookings.rows import Wish, agreements, erase_bookings
from uhi.booking.plain_json import plain
from uhi.errors import Refusal
from uhi.faults import STATE_REFUSED

_PAGE = 100


@dataclass(frozen=True, slots=True)
class OwnBookings:
    """Implements `OwnData`."""

    desk: BookingDesk

    @property
    def name(self) -> str:
        """See `OwnData`."""
        return "bookings"

    async def export(self, account_id: str) -> object:
        """Every booking with its offer, what was agreed, and ratings; a PIN is kept nowhere."""
        told: list[object] = []
        wish = Wish(account_id=account_id, most=_PAGE)
        while True:
            page = await self.desk.page(wish)
            told.extend(_told(shown) for _, shown in page)
            if len(page) < _PAGE:
                break
            start, last = page[-1]
            wish = Wish(account_id=account_id, most=_PAGE, after=(start, last.ours.id))
        agreed = await self.desk.database.read(lambda connection: agreements(connection, account_id))
        return {"bookings": told, "agreements": [dict(row) for row in agreed]}

    def erase(self, connection: Connection, account_id: str) -> int:
        """See `OwnData`: not while a hospital expects the patient."""
        if self.desk.rows.ahead(connection, account_id, now=self.desk.database.clock.now()):
            refusal = Refusal(STATE_REFUSED, "appointments are ahead", next_step="cancel them first")
            refusal.mistakes = (("bookings", "some are ahead or awaited: cancel them first"),)
            raise refusal
        return erase_bookings(connection, account_id, self.desk.rows.consumer_id)

    async def erased(self, account_id: str) -> None:
        """See `OwnData`: nothing is kept elsewhere."""


def _told(shown: Shown) -> dict[str, object]:
    ours, booking = shown.ours, shown.booking
    return {
        "id": ours.id,
        "member_id": ours.member_id,
        "consent_id": ours.consent_id,
        "hospital_id": ours.key.provider_id,
        "order_id": ours.key.order_id,
        "made_at": ours.made_at,
        "state": booking.state.value,
        "start": booking.slot.start.isoformat(),
        "end": booking.slot.end.isoformat(),
        "doctor": plain(booking.slot.doctor),
        "quote": plain(booking.quote),
        "cancellation": plain(booking.cancellation),
        "care_context_id": booking.care_context_id,
        "offer": plain(ours.offer),
        "rating": plain(shown.rating),
    }
