"""Messages with a doctor over HTTP, each person's own.

Each call is an audited look at a patient's data. Above: the patient application; below: `uhi.conversation.pages`.
Source: security rules "IAM" (patient: own account).
"""

from __future__ import annotations

from uhi.api.routes import Call, Routes
from uhi.conversation.forms import (
    DOCUMENT_BODY,
    ConversationAnswer,
    DocumentBody,
    MessageAnswer,
    MessageQuery,
    ReadAnswer,
    ReadBody,
    TextBody,
)
from uhi.conversation.pages import TOLD, TalkPages
from uhi.errors import RECORD_MISSING
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule

OWN = Rule(Permission.RECORDS_OWN, Relation.OWN_ACCOUNT, reads_patients=True)

_ONE = "/v1/bookings/{id}"


class BookingMessages:
    """What a patient reads and says."""

    def __init__(self, pages: TalkPages) -> None:
        self._pages = pages

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("messages")
        messages = f"{_ONE}/messages"
        group.route("GET", messages, OWN, body=MessageQuery, answer=ConversationAnswer, refuses=(RECORD_MISSING,))(
            self.list_messages
        )
        group.route("POST", messages, OWN, body=TextBody, answer=MessageAnswer, refuses=TOLD)(self.say)
        group.route(
            "POST",
            f"{_ONE}/documents",
            OWN,
            body=DocumentBody,
            answer=MessageAnswer,
            refuses=TOLD,
            size=DOCUMENT_BODY,
        )(self.send_document)
        group.route("POST", f"{messages}/read", OWN, body=ReadBody, answer=ReadAnswer, refuses=(RECORD_MISSING,))(
            self.mark_read
        )
        return group

    async def list_messages(self, call: Call[MessageQuery]) -> ConversationAnswer:
        """What was said about a booking, a page at a time, and how else the facility is reached."""
        return await self._pages.page(call)

    async def say(self, call: Call[TextBody]) -> MessageAnswer:
        """Write to the doctor of a booking."""
        return await self._pages.say(call)

    async def send_document(self, call: Call[DocumentBody]) -> MessageAnswer:
        """Send a document to the doctor of a booking."""
        return await self._pages.send(call)

    async def mark_read(self, call: Call[ReadBody]) -> ReadAnswer:
        """Say up to which message one has read."""
        return await self._pages.mark_read(call)
