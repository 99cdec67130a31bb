"""Asking the network's registry: request, records, and the list of providers a gateway asks for.

Source: NHA gateway description v2.0.2 and the registries in use; older servers spell several fields differently and
answer with a list. Fields are kept as they came; readers use the properties.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from uhi.errors import RegistryError
from uhi.messages.times import parse_time
from uhi.messages.wire import Text, Wire

_ROLES = {"eua": "consumer", "hspa": "provider", "bap": "consumer", "bpp": "provider", "bg": "gateway"}


class Lookup(Wire):
    """Who is this subscriber, and what is its key? `type` is `EUA`, `HSPA` or `gateway`."""

    subscriber_id: Text
    type: Text | None = None
    domain: Text | None = None
    country: Text | None = None
    city: Text | None = None
    pub_key_id: Text | None = None
    unique_key_id: Text | None = None
    subscriber_url: Text | None = None

    @property
    def key_id(self) -> str | None:
        """The key asked for, in its present or older spelling."""
        return self.pub_key_id or self.unique_key_id or None

    @property
    def role(self) -> str | None:
        """`consumer`, `provider` or `gateway` for every published spelling; others in lower case."""
        return _role(self.type)


class ProviderLookup(Wire):
    """Which providers are subscribed for a domain in a country, and perhaps a city? Gateways ask."""

    domain: Text
    country: Text
    city: Text | None = None


class LookupRecord(Wire):
    """What the registry knows of one subscriber and key. A validity that is there must be readable."""

    subscriber_id: Text
    participant_id: Text | None = None
    type: Text | None = None
    status: Text | None = None
    domain: Text | None = None
    country: Text | None = None
    city: Text | None = None
    subscriber_url: Text | None = None
    pub_key_id: Text | None = None
    unique_key_id: Text | None = None
    encr_public_key: Text | None = None
    valid_from: Text | None = None
    valid_until: Text | None = None

    @model_validator(mode="after")
    def _refuse_unreadable_validity(self) -> LookupRecord:
        # Read as absent, a validity in an unknown form would make an expired key valid for ever.
        try:
            _ = self.starts_at, self.ends_at
        except ValueError:
            raise PydanticCustomError("validity", "a readable date and time") from None
        return self

    @property
    def key_id(self) -> str | None:
        """The key's id, in its present or older spelling."""
        return self.pub_key_id or self.unique_key_id or None

    @property
    def role(self) -> str | None:
        """`consumer`, `provider` or `gateway` for every published spelling; others in lower case."""
        return _role(self.type)

    @property
    def url(self) -> str | None:
        """The subscriber's address: `subscriber_url`, or `url` or `cb_url` in older answers."""
        return self.subscriber_url or self._older("url") or self._older("cb_url")

    @property
    def verification_key(self) -> str | None:
        """The text of the key that verifies signatures: `encr_public_key`, whatever the name says.

        `signing_public_key` is the last resort, because a registry in use put private keys there: the caller must
        refuse text that decodes to one.
        """
        return self.encr_public_key or self._older("encryption_public_key") or self._older("signing_public_key")

    @property
    def starts_at(self) -> datetime | None:
        """From when the key is valid; None when there is no such limit."""
        return _moment(self.valid_from)

    @property
    def ends_at(self) -> datetime | None:
        """Until when the key is valid (older: `valid_to`, `expires`); None when there is no such limit."""
        return _moment(self.valid_until or self._older("valid_to") or self._older("expires"))

    def _older(self, name: str) -> str | None:
        value = (self.__pydantic_extra__ or {}).get(name)
        return value if isinstance(value, str) and value else None


def read_lookup_answer(value: object) -> list[LookupRecord]:
    """Read the registry's answer: one record, a list, or either inside `message`.

    A row without subscriber_id, with fields of another form or with an unreadable validity is left out.

    Raises:
        RegistryError: the answer has none of these shapes.
    """
    rows = value.get("message", value) if isinstance(value, dict) else value
    if isinstance(rows, dict) and "subscriber_id" in rows:
        rows = [rows]
    if not isinstance(rows, list):
        raise RegistryError(
            "the registry's answer cannot be read",
            got="another shape",
            expected="a record, a list of records, or either inside message",
            next_step="check that the registry address ends in the lookup path",
        )
    return [record for record in map(_record, rows) if record]


def _record(row: object) -> LookupRecord | None:
    try:
        return LookupRecord.model_validate(row)
    except ValidationError:
        return None


def _moment(text: str | None) -> datetime | None:
    return parse_time(text, zone=UTC) if text else None


def _role(text: str | None) -> str | None:
    return _ROLES.get(text.lower(), text.lower()) if text else None
