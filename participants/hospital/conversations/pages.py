"""Messages with patients over HTTP: the front desk's for its own organisation, a clinician's for own patients.

Each call is an audited look at a patient's data. Above: the hospital's program; below: `uhi.conversation.pages`.
Source: security rules "IAM".
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

DESK = Rule(Permission.APPOINTMENTS_DESK, Relation.OWN_TENANT, reads_patients=True)
CLINIC = Rule(Permission.APPOINTMENTS_CLINICAL, Relation.OWN_PATIENTS, reads_patients=True)

_OF_DESK = "/v1/appointments/{id}"
_OF_CLINIC = "/v1/clinic/appointments/{id}"
_SEEN = (RECORD_MISSING,)


class DeskMessages:
    """What the front desk reads and says."""

    def __init__(self, pages: TalkPages) -> None:
        self._pages = pages

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("messages")
        messages = f"{_OF_DESK}/messages"
        group.route("GET", messages, DESK, body=MessageQuery, answer=ConversationAnswer, refuses=_SEEN)(
            self.list_messages
        )
        group.route("POST", messages, DESK, body=TextBody, answer=MessageAnswer, refuses=TOLD)(self.say)
        group.route(
            "POST",
            f"{_OF_DESK}/documents",
            DESK,
            body=DocumentBody,
            answer=MessageAnswer,
            refuses=TOLD,
            size=DOCUMENT_BODY,
        )(self.send_document)
        group.route("POST", f"{messages}/read", DESK, body=ReadBody, answer=ReadAnswer, refuses=_SEEN)(self.mark_read)
        return group

    async def list_messages(self, call: Call[MessageQuery]) -> ConversationAnswer:
        """What was said about an appointment, a page at a time."""
        return await self._pages.page(call)

    async def say(self, call: Call[TextBody]) -> MessageAnswer:
        """Write to the patient of an appointment, for its doctor."""
        return await self._pages.say(call)

    async def send_document(self, call: Call[DocumentBody]) -> MessageAnswer:
        """Send a document to the patient of an appointment."""
        return await self._pages.send(call)

    async def mark_read(self, call: Call[ReadBody]) -> ReadAnswer:
        """Say up to which message one has read."""
        return await self._pages.mark_read(call)


class ClinicMessages:
    """What a clinician reads and says."""

    def __init__(self, pages: TalkPages) -> None:
        self._pages = pages

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("clinic messages")
        messages = f"{_OF_CLINIC}/messages"
        group.route("GET", messages, CLINIC, body=MessageQuery, answer=ConversationAnswer, refuses=_SEEN)(
            self.list_own_messages
        )
        group.route("POST", messages, CLINIC, body=TextBody, answer=MessageAnswer, refuses=TOLD)(self.say_to_own)
        group.route(
            "POST",
            f"{_OF_CLINIC}/documents",
            CLINIC,
            body=DocumentBody,
            answer=MessageAnswer,
            refuses=TOLD,
            size=DOCUMENT_BODY,
        )(self.send_document_to_own)
        group.route("POST", f"{messages}/read", CLINIC, body=ReadBody, answer=ReadAnswer, refuses=_SEEN)(
            self.mark_own_read
        )
        return group

    async def list_own_messages(self, call: Call[MessageQuery]) -> ConversationAnswer:
        """What was said with one's own patient, a page at a time."""
        return await self._pages.page(call)

    async def say_to_own(self, call: Call[TextBody]) -> MessageAnswer:
        """Write to one's own patient."""
        return await self._pages.say(call)

    async def send_document_to_own(self, call: Call[DocumentBody]) -> MessageAnswer:
        """Send a document to one's own patient."""
        return await self._pages.send(call)

    async def mark_own_read(self, call: Call[ReadBody]) -> ReadAnswer:
        """Say up to which message of one's own patient one has read."""
        return await self._pages.mark_read(call)
