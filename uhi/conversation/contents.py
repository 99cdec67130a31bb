"""What may be said: texts and documents, as they come in base64 and as they are kept, under limits.

Pure. A content that is not taken is a ContentRefused with a word for why, and never repeated. Above: `conversations`.
Source: NHA Physical Consultation v2.0, on_message; security rules "Files".
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from uhi.conversation.media import TAKEN, check_media, media_type_of
from uhi.conversation.names import clean_name
from uhi.conversation.prescriptions import PRESCRIPTION, AnyMedicine, Formulary
from uhi.errors import ContentRefused
from uhi.messages.conversation import ChatContent

MIB = 1_048_576
HI_TYPES = (PRESCRIPTION, "labReport")
"""The kinds of health document that a message may be said to hold."""

_NEVER = {"Cc", "Cs"}
_BREAKS = bytes(range(9, 14)) + b" "


class Why(StrEnum):
    """Why a content is not taken."""

    EMPTY = "EMPTY"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    NOT_TEXT = "NOT_TEXT"
    NOT_BASE64 = "NOT_BASE64"
    TOO_LARGE = "TOO_LARGE"
    TYPE_NOT_TAKEN = "TYPE_NOT_TAKEN"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    INFECTED = "INFECTED"
    MEDICINE_NOT_TAKEN = "MEDICINE_NOT_TAKEN"


@dataclass(frozen=True, slots=True)
class ChatRules:
    """What is taken: texts of so many characters, documents of so many bytes and of these types, and prescriptions of
    consultations online that the formulary takes."""

    text_chars: int = 4_000
    file_bytes: int = 5 * MIB
    media_types: frozenset[str] = TAKEN
    formulary: Formulary = field(default_factory=AnyMedicine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document: its bytes, what it says it is, and its name. `hi_type` is one of `HI_TYPES`, or empty; `medicines`
    are what a prescription prescribes, for the formulary alone."""

    content: bytes = field(repr=False)
    media_type: str
    name: str = field(default="", repr=False)
    hi_type: str = ""
    medicines: tuple[str, ...] = field(default=(), repr=False)


def check_text(text: str, rules: ChatRules) -> str:
    """Return a text that may be said.

    Raises: ContentRefused (EMPTY, TEXT_TOO_LONG, NOT_TEXT).
    """
    if not text.strip():
        raise _refused(Why.EMPTY, "a message says nothing")
    if len(text) > rules.text_chars:
        raise _refused(
            Why.TEXT_TOO_LONG, "a message is too long", f"{len(text)} characters", f"at most {rules.text_chars}"
        )
    if any(unicodedata.category(each) in _NEVER and each not in "\n\r\t" for each in text):
        raise _refused(Why.NOT_TEXT, "a message holds characters that do not print")
    return text


def read_text(content: ChatContent, rules: ChatRules) -> str:
    """Return the text of a message that came.

    Raises: ContentRefused (EMPTY, TEXT_TOO_LONG, NOT_BASE64, NOT_TEXT).
    """
    # A character has at most four bytes.
    raw = _decoded(content, most=4 * rules.text_chars, too_much=Why.TEXT_TOO_LONG)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _refused(Why.NOT_TEXT, "a message is no text in UTF-8") from None
    return check_text(text, rules)


def check_document(document: Document, rules: ChatRules) -> Document:
    """Return a document that may be sent, by a clean name and the one spelling of its type.

    Raises: ContentRefused (EMPTY, TOO_LARGE, TYPE_NOT_TAKEN, TYPE_MISMATCH).
    """
    media_type = media_type_of(document.media_type)
    if not document.content:
        raise _refused(Why.EMPTY, "a document is empty")
    if len(document.content) > rules.file_bytes:
        raise _too_large(f"{len(document.content)} bytes", rules.file_bytes)
    if media_type not in rules.media_types:
        raise _refused(
            Why.TYPE_NOT_TAKEN, "a document is of a type that is not taken", "", ", ".join(sorted(rules.media_types))
        )
    try:
        check_media(document.content, media_type)
    except ValueError:
        raise _refused(
            Why.TYPE_MISMATCH, "a document is not of the type it says", "other content", media_type
        ) from None
    return Document(
        content=document.content,
        media_type=media_type,
        name=clean_name(document.name, media_type),
        hi_type=document.hi_type if document.hi_type in HI_TYPES else "",
        medicines=document.medicines,
    )


def read_document(content: ChatContent, rules: ChatRules) -> Document:
    """Return the document of a message that came.

    Raises: ContentRefused.
    """
    return check_document(
        Document(
            content=_decoded(content, most=rules.file_bytes, too_much=Why.TOO_LARGE),
            media_type=content.mime_type or "",
            name=content.file_name or "",
            hi_type=content.hiType or "",
        ),
        rules,
    )


def decoded(value: str, *, most: int, too_much: Why = Why.TOO_LARGE) -> bytes:
    """Return what a text in base64 holds; line breaks in it are ignored, as some phones make them.

    Raises: ContentRefused (NOT_BASE64, or `too_much` for more than `most` bytes, before any of it is decoded).
    """
    if len(value) > 2 * most + 4:
        raise _refused(
            too_much, "a content is too large", f"{len(value)} characters in base64", f"at most {most} bytes"
        )
    try:
        return base64.b64decode(value.encode("ascii").translate(None, _BREAKS), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _refused(Why.NOT_BASE64, "a content is no base64") from None


def _decoded(content: ChatContent, *, most: int, too_much: Why) -> bytes:
    raw = decoded(content.content_value or "", most=most, too_much=too_much)
    if len(raw) > most:
        raise _refused(too_much, "a content is too large", f"{len(raw)} bytes", f"at most {most}")
    return raw


def _too_large(got: str, most: int) -> ContentRefused:
    return _refused(Why.TOO_LARGE, "a document is too large", got, f"at most {most} bytes")


def _refused(why: Why, what: str, got: str = "", expected: str = "") -> ContentRefused:
    return ContentRefused(what, reason=why.value, got=got, expected=expected, next_step="send something else")
