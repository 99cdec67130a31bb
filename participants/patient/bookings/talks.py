"""The talks of bookings: who writes to whom about which, by the application's own ids.

Implements `uhi.conversation.talks.Orders`. Above: the program; below: `desk`, `rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from participants.patient.bookings.desk import BookingDesk, Shown
from uhi.conversation.talks import Talk, talk_of_booking
from uhi.errors import RECORD_MISSING, Refusal
from uhi.verified import Thread


@dataclass(frozen=True, slots=True)
class PatientTalks:
    """The talks of all accounts."""

    desk: BookingDesk

    async def find(self, order_id: str) -> Talk | None:
        """See `Orders`; `order_id` is the booking's id here."""
        try:
            return _talk(await self.desk.again(order_id))
        except Refusal as refusal:
            if refusal.fault is RECORD_MISSING:
                return None
            raise

    async def of_thread(self, thread: Thread) -> Sequence[Talk]:
        """See `Orders`."""
        rows, database = self.desk.rows, self.desk.database
        found = await database.read(lambda connection: rows.of_transaction(connection, thread))
        return [_talk(await self.desk.show(ours)) for ours in found]


def _talk(shown: Shown) -> Talk:
    ours = shown.ours
    talk = talk_of_booking(shown.booking, ours.offer.patient, account_id=ours.account_id)
    return replace(talk, order_id=ours.id)
