"""Who takes part in a network: roles, registry entries, their keys, and when an entry may be trusted.

Pure values; the registry adapters above fill them, the doors of `uhi.exchange` read them.
Source: UHI network registry lookup (status, validity) and the registry rules of the Beckn family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from uhi.errors import Refusal
from uhi.faults import KEY_INACTIVE
from uhi.signing import Profile, PublicKey, SignatureHeader


class Role(Enum):
    """The four roles of the network, named by the field words of the protocol (`consumer_id`, `provider_uri`)."""

    CONSUMER = "consumer"
    PROVIDER = "provider"
    GATEWAY = "gateway"
    REGISTRY = "registry"

    @property
    def lookup_type(self) -> str:
        """How a lookup request spells the role: `EUA`, `HSPA`, `gateway` or `registry`."""
        return _LOOKUP_TYPES.get(self, self.value)

    @classmethod
    def read(cls, text: str) -> Role | None:
        """The role behind any spelling seen in registry records (`EUA`, `consumer`, `BAP`, …), else None."""
        return _SPELLINGS.get(text.strip().lower())


_LOOKUP_TYPES = {Role.CONSUMER: "EUA", Role.PROVIDER: "HSPA"}
_SPELLINGS = {role.value: role for role in Role} | {
    "eua": Role.CONSUMER,
    "bap": Role.CONSUMER,
    "hspa": Role.PROVIDER,
    "bpp": Role.PROVIDER,
    "bg": Role.GATEWAY,
}

INITIATED, UNDER_REVIEW, SUBSCRIBED = "INITIATED", "UNDER_REVIEW", "SUBSCRIBED"
SUSPENDED, REVOKED, EXPIRED, UNSUBSCRIBED = "SUSPENDED", "REVOKED", "EXPIRED", "UNSUBSCRIBED"
STATUSES = (INITIATED, UNDER_REVIEW, SUBSCRIBED, SUSPENDED, REVOKED, EXPIRED, UNSUBSCRIBED)
"""The states of a registry entry; only SUBSCRIBED is trusted."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A registry entry: one party in one role.

    `url` is the base for its callbacks, without a trailing slash: a message goes to `{url}/{action}`.
    `domains` and `cities` say what it is registered for (`nic2004:85111`, `std:011`; `*` means all).
    `fulfilment_types` are the declared types (`Physical`, `Online`); empty means not declared.
    """

    id: str
    role: Role
    url: str
    status: str = SUBSCRIBED
    country: str = "IND"
    domains: tuple[str, ...] = ()
    cities: tuple[str, ...] = ("*",)
    fulfilment_types: tuple[str, ...] = ()

    def check_subscribed(self) -> None:
        """Refuse a subscriber that is not SUBSCRIBED.

        Raises: Refusal(KEY_INACTIVE).
        """
        if self.status != SUBSCRIBED:
            raise Refusal(KEY_INACTIVE, f"{self.id} is not active", got=self.status, expected=SUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a relay passes a message on to, in order, their ids, and how many more it concerns."""

    members: tuple[Subscriber, ...] = ()
    ids: frozenset[str] = frozenset()
    left_out: int = 0

    @classmethod
    def of(cls, members: Iterable[Subscriber]) -> Audience:
        """Each subscriber once, in the given order."""
        each = {member.id: member for member in members}
        return cls(tuple(each.values()), frozenset(each))


@dataclass(frozen=True, slots=True)
class SubscriberKey:
    """A subscriber's signing key as the registry holds it. Times are Unix seconds; the profile is pinned to the key."""

    id: str
    public: PublicKey
    profile: Profile
    valid_from: float
    valid_until: float


@dataclass(frozen=True, slots=True)
class KeyRef:
    """What a signature header names: a subscriber and one of its keys, in the role the path asks for."""

    subscriber_id: str
    key_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Record:
    """One answer of the registry: a subscriber together with the key that was asked for."""

    subscriber: Subscriber
    key: SubscriberKey

    def check_active(self, now: float) -> None:
        """Refuse a subscriber that is not SUBSCRIBED and a key outside its validity at `now` (Unix seconds).

        Raises: Refusal(KEY_INACTIVE).
        """
        self.subscriber.check_subscribed()
        if not self.key.valid_from <= now <= self.key.valid_until:
            raise Refusal(
                KEY_INACTIVE,
                f"key {self.key.id} of {self.subscriber.id} is outside its validity",
                got=_date(now),
                expected=f"{_date(self.key.valid_from)} to {_date(self.key.valid_until)}",
                next_step="register a current key",
            )

    def check_covers(self, header: SignatureHeader) -> None:
        """Refuse a header whose life reaches outside the key's validity.

        Raises: Refusal(KEY_INACTIVE).
        """
        if header.created < int(self.key.valid_from) or header.expires > self.key.valid_until:
            raise Refusal(
                KEY_INACTIVE,
                f"a signature with key {self.key.id} of {self.subscriber.id} outlives the key",
                got=f"{_date(header.created)} to {_date(header.expires)}",
                expected=f"within {_date(self.key.valid_from)} to {_date(self.key.valid_until)}",
            )


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "a time out of range"
