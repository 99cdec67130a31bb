"""What the application keeps of an account's conversations, for its export and its erasure.

Above: the program; below: `uhi.conversation`, the file store. Source: case IAM-17.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from participants.patient.bookings.tables import patient_booking
from uhi.booking.plain_json import plain
from uhi.conversation.conversations import MOST_MESSAGES, Conversations
from uhi.conversation.unfiled import unfile
from uhi.errors import Refusal
from uhi.storage.sql.conversation_tables import chat_message, conversation
from uhi.storage.sql.database import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OwnMessages:
    """Implements `OwnData`. Erased before the bookings, whose conversations they are."""

    conversations: Conversations
    database: Database
    owner: str

    @property
    def name(self) -> str:
        """See `OwnData`."""
        return "messages"

    async def export(self, account_id: str) -> object:
        """What was said, by booking; documents are named, and fetched by the links of their messages."""
        own = select(patient_booking.c.id).where(patient_booking.c.account_id == account_id)
        talked = select(conversation.c.order_id).where(
            conversation.c.owner == self.owner, conversation.c.order_id.in_(own)
        )
        found = await self.database.read(lambda connection: connection.execute(talked).scalars().all())
        return {booking_id: await self._said(booking_id) for booking_id in found}

    def erase(self, connection: Connection, account_id: str) -> int:
        """See `OwnData`; that the documents go is kept with it, however often their store is away."""
        own = select(patient_booking.c.id).where(patient_booking.c.account_id == account_id)
        said = chat_message.c.owner == self.owner, chat_message.c.order_id.in_(own)
        keys = connection.execute(select(chat_message.c.file_key).where(*said, chat_message.c.file_key != ""))
        unfile(connection, self.owner, keys.scalars().all())
        gone = connection.execute(delete(chat_message).where(*said)).rowcount
        connection.execute(
            delete(conversation).where(conversation.c.owner == self.owner, conversation.c.order_id.in_(own))
        )
        return gone

    async def erased(self, account_id: str) -> None:
        """Delete the documents; while their store is away, the program does so every hour."""
        try:
            await self.conversations.tidy()
        except Refusal as refusal:
            log.warning("documents of who was erased are still to be deleted: %s", refusal)

    async def _said(self, booking_id: str) -> list[object]:
        told: list[object] = []
        # From the first one on; 0 would ask for the newest.
        after = -1
        while True:
            page = await self.conversations.page(booking_id, after=after, most=MOST_MESSAGES)
            told.extend(plain(message) for message in page.messages)
            if len(page.messages) < MOST_MESSAGES:
                return told
            after = page.messages[-1].seq
