"""An application as it arrives: UHI's form with a list of keys, Beckn's flat one, and every alias in use, as one form.

Names are settled here, values in `applications`. What is not named is dropped, so that nothing else can be kept.
Sources: UHI registry forms (reference 3.3), Beckn registry APIs (13.1, 13.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from uhi.errors import Refusal
from uhi.messages.wire import Wire
from uhi.signing import PrivateKey

MOST_KEYS = 10
_MOST_NAMES = 200

# What PEM says, and base64 of what the PKCS#8 forms of Curve25519 begin with, for signing or for encryption.
_MARKS = ("PRIVATE KEY", "MC4CAQAwBQYDK2V", "MFECAQEwBQYDK2V")
_SEED_TEXT = 44

Object = dict[str, object]
_Line = Annotated[str, Field(strict=True, max_length=512)]
_Name = Annotated[str, Field(strict=True, max_length=100)]
_Key = Annotated[str, Field(strict=True, max_length=2_048)]
_Names = Annotated[list[_Name], Field(max_length=_MOST_NAMES, fail_fast=True)]

_IDENTITY = {
    "subscriber_id": ("subscriber_id", "subscriberId"),
    "type": ("type", "role"),
    "subscriber_url": ("subscriber_url", "url", "callback_url", "cb_url", "subscriberUrl"),
}
_KEY_ID = ("pub_key_id", "key_id", "unique_key_id", "ukId", "uk_id", "keyId")
_NAMED = ("legal_name", "legal_entity_name", "participant_name", "participantName")
_ENCRYPTION = ("encr_public_key", "encryption_public_key")
_STARTS = ("valid_from", "validFrom", "created")
_ENDS = ("valid_until", "valid_to", "validUntil", "expires")


_TOLD = (
    "An application with public keys only. Other spellings in use of these names are taken as well. `encr_public_key` "
    "(X25519, base64) makes it a Beckn peer, which proves that it can decrypt besides."
)
_KEY_TOLD = (
    "One key: its public half in any spelling of Ed25519, its validity as `2026-01-01T00:00:00.000Z` (from now where "
    "the beginning is left out), `signing_profile` `uhi` or `beckn`."
)


class KeyForm(Wire):
    """One key, its values unread."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, json_schema_extra={"description": _KEY_TOLD}
    )

    pub_key_id: _Line
    signing_public_key: _Key
    valid_from: _Name = ""
    valid_until: _Name = ""
    signing_profile: _Name = ""


class ApplicationForm(Wire):
    """An application, its values unread. `is_flat` tells that it came in Beckn's form, which is answered in kind;
    `has_private_key` that it holds what must never be sent, which is not in the form.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, json_schema_extra={"description": _TOLD}
    )

    subscriber_id: _Line
    type: _Name
    subscriber_url: _Line
    legal_name: Annotated[str, Field(strict=True, max_length=200)] = ""
    contact_email: Annotated[str, Field(strict=True, max_length=254)] = ""
    country: _Name = ""
    domains: _Names = Field(default=[])
    cities: _Names = Field(default=[])
    fulfilment_types: _Names = Field(default=[])
    keys: Annotated[list[KeyForm], Field(max_length=MOST_KEYS, fail_fast=True)]
    encr_public_key: _Key = ""
    is_flat: SkipJsonSchema[bool] = False
    has_private_key: SkipJsonSchema[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _settle_names(cls, value: object) -> object:
        return _settled(value) if isinstance(value, dict) else value


class KeysForm(Wire):
    """A member's further keys: `POST /keys`."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    subscriber_id: _Line
    keys: Annotated[list[KeyForm], Field(min_length=1, max_length=MOST_KEYS, fail_fast=True)]
    has_private_key: SkipJsonSchema[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _settle_names(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        settled = _settled({**value, "type": "", "subscriber_url": ""})
        return {name: settled.get(name) for name in ("subscriber_id", "keys", "has_private_key")}


def _settled(value: Object) -> Object:
    listed = value.get("keys")
    is_flat = not isinstance(listed, list)
    rows: list[object] = listed if isinstance(listed, list) else [value]
    found = [_settled_key(row) for row in rows if isinstance(row, dict)]
    location = value.get("location")
    place: Object = location if isinstance(location, dict) else {}
    form: Object = {name: _only(value, aliases) for name, aliases in _IDENTITY.items()}
    form |= {
        "legal_name": _first(value, _NAMED),
        "contact_email": value.get("contact_email"),
        "country": value.get("country") or _code(place.get("country")),
        "domains": _list(value, "domains", "domain"),
        "cities": _list(value, "cities", "city") or _list({"city": _code(place.get("city"))}, "", "city"),
        "fulfilment_types": _list(value, "fulfilment_types", "fulfilment_type"),
        "keys": [key for key, _ in found],
        "encr_public_key": ("" if is_flat else _first(value, _ENCRYPTION)) or _any_of(other for _, other in found),
        "is_flat": is_flat,
        "has_private_key": any(map(_is_private, _texts_in(value))),
    }
    return {name: each for name, each in form.items() if each not in (None, "")}


def _settled_key(row: Object) -> tuple[Object, object]:
    """A key, and the encryption key that stands beside it. Where only one is there, UHI's registries write the signing
    key under the name of the other."""
    signing, encryption = row.get("signing_public_key"), _first(row, _ENCRYPTION)
    if not signing:
        signing, encryption = encryption, None
    key: Object = {
        "pub_key_id": _only(row, _KEY_ID),
        "signing_public_key": signing,
        "valid_from": _first(row, _STARTS),
        "valid_until": _first(row, _ENDS),
        "signing_profile": row.get("signing_profile"),
    }
    return {name: each for name, each in key.items() if each is not None}, encryption


def _only(value: Object, aliases: tuple[str, ...]) -> object:
    """The one value under these names: two that differ would let two readers see two parties."""
    found = [value[name] for name in aliases if value.get(name) not in (None, "")]
    if any(other != found[0] for other in found):
        raise PydanticCustomError("aliases", "one value, whatever names it has")
    return found[0] if found else None


def _first(value: Object, aliases: tuple[str, ...]) -> object:
    return next((value[name] for name in aliases if value.get(name) not in (None, "")), None)


def _any_of(values: Iterable[object]) -> object:
    return next((value for value in values if value), None)


def _list(value: Object, many: str, one: str) -> object:
    """The list under the plural name, or the words of the singular one, which commas divide."""
    listed = value.get(many)
    if listed is None:
        listed = value.get(one)
    if isinstance(listed, str):
        return [word.strip() for word in listed.split(",") if word.strip()]
    return listed


def _code(value: object) -> object:
    return value.get("code") if isinstance(value, dict) else value


def _texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    waiting: list[object] = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict() as members:
                waiting += [*members, *members.values()]
            case list() as items:
                waiting += items


def _is_private(text: str) -> bool:
    """Whether a text holds a private key beyond doubt: its form says so, or it is both halves, which fit."""
    if any(mark in text for mark in _MARKS):
        return True
    try:
        PrivateKey.read(text)
    except Refusal:
        return False
    return len(text.strip()) > _SEED_TEXT
