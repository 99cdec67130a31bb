"""The talks of bookings: who writes to whom about which, by the application's own ids.

Implements `uhi.conversation.talks.Orders`. Above: the program; below: `desk`, `rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from participants.patient.bookings.desk import BookingDesk
from participants.patient.bookings.rows import Ours
from uhi.conversation.talks import Talk, talk_of_booking
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.verified import Thread


@dataclass(frozen=True, slots=True)
class PatientTalks:
    """The talks of all accounts."""

    desk: BookingDesk

    async def find(self, order_id: str) -> Talk | None:
        """See `Orders`; `order_id` is the booking's id here."""
        try:
            ours = await self.desk.get(order_id)
        except Refusal as refusal:
            if refusal.fault is RECORD_MISSING:
                return None
            raise
        return await self._talk(ours)

    async def of_thread(self, thread: Thread) -> Sequence[Talk]:
        """See `Orders`."""
        rows, database = self.desk.rows, self.desk.database
        found = await database.read(lambda connection: rows.of_transaction(connection, thread))
        return [await self._talk(ours) for ours in found]

    async def _talk(self, ours: Ours) -> Talk:
        booking = await self.desk.booking(ours)
        return replace(talk_of_booking(booking, ours.offer.patient, account_id=ours.account_id), order_id=ours.id)
