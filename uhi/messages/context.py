"""The context of a message: who sends it to whom, in which exchange and transaction, and when.

Source: NHA Physical Consultation v2.0, context. Only domain, action and message_id are required here, because NHA's
own callbacks leave out up to six others; what a given message must carry is for the receiver to say.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from uhi.messages.times import parse_time, ttl_seconds
from uhi.messages.wire import Text, Wire

__all__ = ["Context", "MessageId", "PerhapsId", "ttl_seconds"]

# UUIDs are what we write; peers use other ids too. Blanks and control characters would end up in headers and logs.
MessageId = Annotated[str, Field(strict=True, pattern="^[!-~]{1,255}$")]
"""1 to 255 printable ASCII characters without space."""

PerhapsId = Annotated[str, Field(strict=True, pattern="^[!-~]{0,255}$")]
"""As `MessageId`; empty text is how some senders leave an id out."""


class Context(Wire):
    """Who, which, when."""

    domain: Text
    action: Text
    message_id: MessageId
    country: Text | None = None
    city: Text | None = None
    core_version: Text | None = None
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
