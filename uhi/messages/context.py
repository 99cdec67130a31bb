"""The context of a message: who sends it to whom, in which exchange and transaction, and when.

Source: NHA Physical Consultation v2.0, context. Only domain, action and message_id are required here, because NHA's
own callbacks leave out up to six others; what a given message must carry is for the receiver to say.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError, core_schema

from uhi.messages.times import parse_time, ttl_seconds
from uhi.messages.wire import NUMBER_AS_TEXT, STRING, Reading, Text, Wire

__all__ = ["Context", "MessageId", "PerhapsId", "ShortText", "ttl_seconds"]

_LONGEST = 64

# UUIDs are what we write; peers use other ids too. Blanks and control characters would end up in headers and logs.
MessageId = Annotated[str, Field(strict=True, pattern="^[!-~]{1,255}$")]
"""1 to 255 printable ASCII characters without space."""

PerhapsId = Annotated[str, Field(strict=True, pattern="^[!-~]{0,255}$")]
"""As `MessageId`; empty text is how some senders leave an id out."""


def _short(text: str) -> str:
    if len(text) > _LONGEST or not text.isprintable():
        raise PydanticCustomError("short_text", "at most 64 printable characters")
    return text


# These are looked up by, remembered and logged, so a peer must not make them long or break a line with them.
ShortText = Annotated[
    str,
    Reading(
        "short_text",
        "text of at most 64 printable characters, or a number",
        tuple(core_schema.no_info_after_validator_function(_short, form) for form in (STRING, NUMBER_AS_TEXT)),
        {"type": ["string", "number"]},
    ),
]
"""As `Text`, of at most 64 printable characters in any script."""


class Context(Wire):
    """Who, which, when."""

    domain: ShortText
    action: ShortText
    message_id: MessageId
    country: ShortText | None = None
    city: ShortText | None = None
    core_version: ShortText | None = None
    consumer_id: PerhapsId | None = None
    consumer_uri: Text | None = None
    provider_id: PerhapsId | None = None
    provider_uri: Text | None = None
    transaction_id: PerhapsId | None = None
    timestamp: Text | None = None
    key: Text | None = None
    ttl: Text | None = None

    @model_validator(mode="after")
    def _refuse_twins(self) -> Context:
        # Software that ignores case would take Consumer_Id for consumer_id and see another sender than we do.
        for name in self.__pydantic_extra__ or ():
            known = name.casefold()
            if known in Context.model_fields:
                raise PydanticCustomError("twin", "one spelling of each name", {"field": known})
        return self

    @property
    def sent_at(self) -> datetime | None:
        """When the message was written; without a zone it means UTC here. None when absent or unreadable."""
        try:
            return parse_time(self.timestamp or "", zone=UTC)
        except ValueError:
            return None

    @property
    def lifetime(self) -> float | None:
        """The explicit `ttl` in seconds; None when there is none that can be used (see `ttl_seconds`)."""
        return ttl_seconds(self.ttl)

    def deadline(self, *, received: datetime) -> datetime | None:
        """Return when the explicit `ttl` has passed, None without one.

        It is counted from `timestamp`; from `received` where that is absent, unreadable or in the future.
        """
        lifetime = self.lifetime
        if lifetime is None:
            return None
        sent = self.sent_at
        return (min(sent, received) if sent else received) + timedelta(seconds=lifetime)
