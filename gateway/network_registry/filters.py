"""Beckn's lookup: an entry used as a filter, in every spelling of its names; what it does not name is not looked at.

Wire model and its reading. Above: `lookup`. Source: Beckn registry lookup (1.1 and its older forms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from uhi.actions import PROVIDER_LOOKUP, Leg, Urgency
from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages.wire import Wire
from uhi.subscribers import Role

KEY_ID = ("key_id", "unique_key_id", "pub_key_id", "ukId", "uk_id", "keyId")
URL = ("url", "subscriber_url", "callback_url", "cb_url")

_ROLES = {"buyerapp": Role.CONSUMER, "sellerapp": Role.PROVIDER}
_PARTIES = (Role.CONSUMER, Role.PROVIDER, Role.GATEWAY)


class Filter(Wire):
    """The body of Beckn's `/lookup`. Nothing in it is required."""


FILTER: Leg[Filter] = Leg(
    "lookup by filter",
    PROVIDER_LOOKUP.path.partition("/")[0],
    Filter,
    _PARTIES,
    Role.REGISTRY,
    urgency=Urgency.ASKED,
    has_context=False,
)
"""Beckn's lookup, served at the registry's root."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a filter asks for; None and empty ask for nothing. `cities`: one of them is enough."""

    subscriber_id: str = ""
    role: Role | None = None
    domain: str = ""
    country: str = ""
    cities: frozenset[str] = frozenset()
    key_id: str = ""
    url: str = ""
    status: str = ""


def read_filter(body: Filter) -> Wanted:
    """What a filter asks for.

    Raises: Refusal(MESSAGE_INVALID) for a type that there is not, and for members that are not text.
    """
    given = cast("dict[str, object]", body.__pydantic_extra__ or {})
    place = given.get("location")
    location = place if isinstance(place, dict) else {}
    return Wanted(
        subscriber_id=_text(given, "subscriber_id"),
        role=_role(_text(given, "type")),
        domain=_text(given, "domain"),
        country=_text(given, "country") or _code(location, "country"),
        cities=_cities(_text(given, "city") or _code(location, "city")),
        key_id=_text(given, *KEY_ID),
        url=_text(given, *URL),
        status=_text(given, "status").upper(),
    )


def _text(given: dict[str, object], *names: str) -> str:
    for name in names:
        value = given.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise Refusal(MESSAGE_INVALID, "a lookup cannot be read", expected="text", path=f"$.{name}")
        return value.strip()
    return ""


def _code(location: dict[str, object], name: str) -> str:
    place = location.get(name)
    return _text(place, "code") if isinstance(place, dict) else ""


def _cities(text: str) -> frozenset[str]:
    cities = frozenset(part.strip() for part in text.split(",")) - {""}
    return frozenset() if "*" in cities else cities


def _role(text: str) -> Role | None:
    role = Role.read(text) or _ROLES.get(text.lower())
    if text and role is None:
        raise Refusal(
            MESSAGE_INVALID,
            "a lookup asks for a type that there is not",
            expected="BAP, BPP, BG, EUA, HSPA, consumer, provider or gateway",
            path="$.type",
        )
    return role
