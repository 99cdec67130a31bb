"""What is kept of one message of a conversation, and how it goes on the wire.

Pure. Above: `book`, `conversations`. Source: NHA Physical Consultation v2.0, on_message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from uhi import strict_json
from uhi.conversation.contents import Document
from uhi.conversation.talks import Talk, Talker
from uhi.messages.conversation import Chat, ChatContent, ChatIntent, ChatParty
from uhi.messages.people import Person
from uhi.messages.times import Time, wire_time
from uhi.subscribers import Role

UNREADABLE = "UNREADABLE"
"""In place of why a content was refused: its key is gone."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Kind(StrEnum):
    """What a message is."""

    TEXT = "text"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A document as a message tells of it; `scan` is what a virus scanner said."""

    name: str = field(repr=False)
    media_type: str
    size: int
    hi_type: str = ""
    scan: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, the `seq`-th of its conversation. `at` is Unix seconds: when we said it, or it came.

    `refused` is why its content was not taken, empty for one that was. `author` is the account that wrote for our side,
    `account_id` the one whose order it is about, where our side has such.
    """

    id: str
    order_id: str
    seq: int = 0
    is_ours: bool
    kind: Kind
    at: float
    content_id: str
    message_id: str = ""
    text: str = field(default="", repr=False)
    document: Attached | None = None
    refused: str = ""
    author: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """What two devices say to each other to set up a call; it is passed on as it is, and not kept."""

    order_id: str
    content_type: str
    content: ChatContent


def content_id_of(content: ChatContent, digest: str) -> str:
    """The id that a message is kept under once: the speaker's where it is a UUID, else a digest; `digest` is that of
    the whole body, for one without."""
    given = (content.content_id or "").strip().lower()
    return given if _UUID.fullmatch(given) else sha256((given or digest).encode()).hexdigest()


def write_sealed(message: Message) -> bytes:
    """What of a message is encrypted."""
    document = message.document
    named = {"name": document.name, "hi_type": document.hi_type} if document else {}
    return strict_json.write({"text": message.text, **named})


def read_sealed(raw: bytes) -> Mapping[str, str]:
    """What was written so: `text`, and of a document `name` and `hi_type`."""
    found = strict_json.parse(raw)
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def write_text(text: str, content_id: str) -> ChatContent:
    """A text as it is sent."""
    return ChatContent(content_id=content_id, content_value=_base64(text.encode()), content_type="text")


def write_document(document: Document, content_id: str) -> ChatContent:
    """A document as it is sent."""
    content = ChatContent(
        content_id=content_id,
        content_value=_base64(document.content),
        content_type="media",
        content_mimeType=document.media_type,
        content_fileName=document.name,
    )
    return content.model_copy(update={"hiType": document.hi_type}) if document.hi_type else content


def write_chat(talk: Talk, content: ChatContent, *, side: Role, now: float) -> ChatIntent:
    """A message as it is sent, with the people that the order names."""
    doctor_writes = side is Role.PROVIDER
    sender, receiver = (talk.doctor, talk.patient) if doctor_writes else (talk.patient, talk.doctor)
    return ChatIntent(
        chat=Chat(
            sender=_person(sender),
            receiver=_person(receiver),
            content=content,
            time=Time(timestamp=wire_time(datetime.fromtimestamp(now, UTC))),
        )
    )


def is_between(talk: Talk, chat: Chat, *, sender: Role) -> bool:
    """Whether a message that came names the people of the order, each in their place."""
    doctor_wrote = sender is Role.PROVIDER
    patients, doctors = (chat.receiver, chat.sender) if doctor_wrote else (chat.sender, chat.receiver)
    return _names(patients, talk.patient) and any(_names(doctors, each) for each in (talk.doctor, *talk.others))


def _names(named: ChatParty | None, party: Talker) -> bool:
    address = named.person.address if named and named.person else None
    return bool(address) and (address or "").strip().casefold() == party.id.strip().casefold()


def _person(party: Talker) -> ChatParty:
    person = Person(id=party.id, name=party.name)
    return ChatParty(person=person.model_copy(update={"gender": party.gender}) if party.gender else person)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
