"""What the interfaces of hospital and patient take and give of a conversation: one shape on both sides.

Above: `pages`, and through it participants; below: `uhi.api.routes`.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from uhi.api.routes import KIB, Answer, Body
from uhi.booking.appointments import Reach
from uhi.conversation.contents import MIB
from uhi.conversation.conversations import MOST_MESSAGES, Page
from uhi.conversation.messages import Message
from uhi.messages.values import IST

LARGEST_DOCUMENT = 5 * MIB
_BASE64 = math.ceil(LARGEST_DOCUMENT / 3) * 4
_A_UUID = r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$"

DOCUMENT_BODY = _BASE64 + 8 * KIB
"""The most bytes of a body that brings a document."""


MedicineName = Annotated[str, Field(min_length=1, max_length=200)]


class MessageQuery(Body):
    """Which messages: those after a number, or else the last ones before a number, or else the newest."""

    after: int = Field(default=0, ge=0, le=2**31 - 1)
    before: int = Field(default=0, ge=0, le=2**31 - 1)
    most: int = Field(default=50, ge=1, le=MOST_MESSAGES)


class TextBody(Body):
    """A text. With a `content_id` of one's own it is said once, however often it is sent."""

    text: str = Field(min_length=1, max_length=4_000)
    content_id: str = Field(default="", pattern=_A_UUID)


class DocumentBody(Body):
    """A document; `content` is base64. `medicines` are what a prescription prescribes, by name: of a consultation
    online they are weighed before it is sent."""

    model_config = ConfigDict(str_max_length=_BASE64)

    name: str = Field(min_length=1, max_length=255)
    media_type: str = Field(min_length=3, max_length=100)
    content: str = Field(min_length=1, repr=False)
    hi_type: Literal["", "prescription", "labReport"] = ""
    medicines: tuple[MedicineName, ...] = Field(default=(), max_length=50, repr=False)
    content_id: str = Field(default="", pattern=_A_UUID)


class ReadBody(Body):
    """Up to which message one has read."""

    seq: int = Field(ge=1, le=2**31 - 1)


class DocumentAnswer(Answer):
    """A document of a message. `scan` is `CLEAN`, or `NOT_SCANNED` where nobody looked for viruses; `url` fetches it
    for a few minutes, and is empty where it was not taken."""

    name: str
    media_type: str
    size: int
    hi_type: str
    scan: str
    url: str


class MessageAnswer(Answer):
    """A message. `refused` is why the content of the other side's message was not taken, empty for one that was; `by`
    is the account that wrote for our side."""

    id: str
    seq: int
    is_ours: bool
    kind: Literal["text", "document"]
    at: datetime
    text: str
    document: DocumentAnswer | None
    refused: str
    by: str


class ReachAnswer(Answer):
    """How else the facility is reached, and whether it takes messages at all."""

    messaging: bool
    helpline_number: str
    deep_link: str
    chatbot_link: str


class ConversationAnswer(Answer):
    """Messages of an appointment, oldest first. `last` is the newest message's number, `read` up to which our side has
    read, `unread` how much it has not; `previous` is what to send as `before` for earlier ones, 0 where there are none.
    With `is_open` something may be said."""

    messages: tuple[MessageAnswer, ...]
    last: int
    read: int
    unread: int
    previous: int
    is_open: bool
    reach: ReachAnswer


class ReadAnswer(Answer):
    """How far our side has read."""

    read: int
    unread: int


def message_answer(message: Message, *, url: str) -> MessageAnswer:
    """A message as it is shown."""
    document = message.document
    return MessageAnswer(
        id=message.id,
        seq=message.seq,
        is_ours=message.is_ours,
        kind=message.kind.value,
        at=datetime.fromtimestamp(message.at, IST),
        text=message.text,
        document=None
        if document is None
        else DocumentAnswer(
            name=document.name,
            media_type=document.media_type,
            size=document.size,
            hi_type=document.hi_type,
            scan=document.scan,
            url=url,
        ),
        refused=message.refused,
        by=message.author,
    )


def conversation_answer(page: Page, messages: tuple[MessageAnswer, ...]) -> ConversationAnswer:
    """A page as it is shown."""
    counted, first = page.counted, messages[0].seq if messages else 0
    return ConversationAnswer(
        messages=messages,
        last=counted.last,
        read=counted.read,
        unread=counted.unread,
        previous=first if first > 1 else 0,
        is_open=page.is_open,
        reach=_reach(page.reach),
    )


def _reach(reach: Reach) -> ReachAnswer:
    return ReachAnswer(
        messaging=reach.messaging,
        helpline_number=reach.helpline_number,
        deep_link=reach.deep_link,
        chatbot_link=reach.chatbot_link,
    )
