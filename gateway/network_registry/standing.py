"""What the registry holds about a subscriber: its particulars, its keys, what waits, what is missing, what changed.

Pure values. Above: everything in this package; below: `uhi.subscribers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from uhi.registry.memory import Member
from uhi.signing import PROFILES, PublicKey
from uhi.signing.challenge import Challenge
from uhi.subscribers import INITIATED, UNDER_REVIEW, Role, Subscriber, SubscriberKey

_JUST_BEFORE = 0.001

NEVER_PROVEN = frozenset({INITIATED, UNDER_REVIEW})
"""The states of whom nobody in the network has to know about yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Who somebody is, as applied for: the entry that others may read, and what only the registry reads.

    `encryption_key` is the public X25519 key of a Beckn peer (base64), empty for none.
    """

    subscriber: Subscriber
    legal_name: str
    contact_email: str = field(default="", repr=False)
    encryption_key: str = ""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """An approved key, when it was added, and when it was revoked, if it was."""

    key: SubscriberKey
    added_at: float
    revoked_at: float | None = None

    @property
    def in_force(self) -> SubscriberKey:
        """The key as lookups see it: a revoked one is valid until just before that moment."""
        if self.revoked_at is None:
            return self.key
        return replace(self.key, valid_until=min(self.key.valid_until, self.revoked_at - _JUST_BEFORE))

    def is_active(self, now: float) -> bool:
        """Whether signatures with it are accepted at `now`, as far as the key goes."""
        return self.in_force.valid_from <= now <= self.in_force.valid_until

    def can_become_active(self, now: float) -> bool:
        """Whether it is active, or will be."""
        return self.revoked_at is None and now <= self.key.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An application, or a member's change, that waits for proofs, a review or approvals.

    `to_prove` are the ids of the keys whose possession must be shown, `proven` those for which it was. `amends` tells a
    change of a member from an application. `signed_with` is the raw key (base64) that signed it: its holder may correct
    it.
    """

    id: str
    wanted: Particulars
    keys: tuple[SubscriberKey, ...]
    amends: bool
    signed_with: str
    submitted_by: str
    submitted_at: float
    to_prove: tuple[str, ...]
    proven: frozenset[str] = frozenset()
    needs_site: bool = True
    site_checked_at: float | None = None
    needs_decryption: bool = False
    decrypted_at: float | None = None
    reviewed_by: str = ""
    approved_by: tuple[str, ...] = ()

    @property
    def unproven(self) -> tuple[str, ...]:
        """What the subscriber still has to show: `key k2`, `encryption key`, `site`."""
        missing = [f"key {key_id}" for key_id in self.to_prove if key_id not in self.proven]
        if self.needs_decryption and self.decrypted_at is None:
            missing.append("encryption key")
        if self.needs_site and self.site_checked_at is None:
            missing.append("site")
        return tuple(missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything about one subscriber. `status` is that of its entry, which a waiting change leaves as it is."""

    particulars: Particulars
    keys: tuple[HeldKey, ...]
    created_at: float
    updated_at: float
    pending: Pending | None = None

    @property
    def id(self) -> str:
        """The subscriber's id."""
        return self.particulars.subscriber.id

    @property
    def status(self) -> str:
        """The state of the entry."""
        return self.particulars.subscriber.status

    @property
    def missing(self) -> tuple[str, ...]:
        """What is still to happen: proofs first (`key k2`, `encryption key`, `site`), then `review`, then `approval`
        once for each administrator."""
        if self.pending is None:
            return ()
        missing = list(self.pending.unproven)
        if not self.pending.amends and self.status == INITIATED:
            missing.append("review")
        return (*missing, *["approval"] * (2 - len(self.pending.approved_by)))

    @property
    def was_member(self) -> bool:
        """Whether it ever was let in, or is: keys are kept of those alone."""
        return bool(self.keys)

    def active_keys(self, now: float) -> tuple[SubscriberKey, ...]:
        """The approved keys that are in force at `now`."""
        return tuple(held.key for held in self.keys if held.is_active(now))

    def member(self) -> Member:
        """The entry as lookups and the doors see it. Keys of an applicant are in it: its state refuses them."""
        keys = {held.key.id: held.in_force for held in self.keys}
        if self.pending is not None and not self.pending.amends:
            keys = {key.id: key for key in self.pending.keys} | keys
        return Member(self.particulars.subscriber, tuple(keys.values()), self.particulars.encryption_key)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entry. `seq` counts from 1 without gaps; `keys` are the ids in force after it."""

    seq: int
    at: float
    subscriber_id: str
    role: Role
    status: str
    keys: tuple[str, ...]
    action: str

    @property
    def is_urgent(self) -> bool:
        """Whether anybody may hold an older answer about the subscriber. A change of an applicant can wait for the
        next one that is, and be told together with it."""
        return self.status not in NEVER_PROVEN

    def told(self) -> dict[str, object]:
        """The change as it is pushed."""
        return {
            "seq": self.seq,
            "subscriber_id": self.subscriber_id,
            "type": self.role.value,
            "status": self.status,
            "keys": list(self.keys),
        }


@dataclass(frozen=True, slots=True)
class Asking:
    """A challenge for whoever is at the callback address `url`. `encrypted` is the AES text for a Beckn peer, empty for
    others."""

    url: str
    challenge: Challenge
    encrypted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What came back for a challenge."""

    challenge_id: str
    subscriber_id: str
    key_id: str
    signature: str
    answer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which entries: those that have all that is said. `text` is looked for in id, name and address; `page` counts
    from 1."""

    status: str = ""
    role: Role | None = None
    text: str = ""
    page: int = 1
    size: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A page of entries, and how many there are in all."""

    entries: tuple[Standing, ...]
    total: int


def particulars_json(particulars: Particulars) -> dict[str, object]:
    """Particulars as a JSON object."""
    subscriber = particulars.subscriber
    return {
        "subscriber_id": subscriber.id,
        "type": subscriber.role.value,
        "status": subscriber.status,
        "subscriber_url": subscriber.url,
        "legal_name": particulars.legal_name,
        "contact_email": particulars.contact_email,
        "country": subscriber.country,
        "domains": list(subscriber.domains),
        "cities": list(subscriber.cities),
        "fulfilment_types": list(subscriber.fulfilment_types),
        "encryption_key": particulars.encryption_key,
    }


def key_json(key: SubscriberKey) -> dict[str, object]:
    """A key as a JSON object; its public half in raw base64."""
    return {
        "pub_key_id": key.id,
        "signing_public_key": key.public.raw_base64(),
        "signing_profile": key.profile.name,
        "valid_from": key.valid_from,
        "valid_until": key.valid_until,
    }


def read_key(row: dict[str, object]) -> SubscriberKey:
    """A key from the object that `key_json` makes."""
    return SubscriberKey(
        id=str(row["pub_key_id"]),
        public=PublicKey.read(str(row["signing_public_key"])),
        profile=PROFILES[str(row["signing_profile"])],
        valid_from=float(str(row["valid_from"])),
        valid_until=float(str(row["valid_until"])),
    )


def read_particulars(row: dict[str, object]) -> Particulars:
    """Particulars from the object that `particulars_json` makes."""
    subscriber = Subscriber(
        id=str(row["subscriber_id"]),
        role=Role(row["type"]),
        url=str(row["subscriber_url"]),
        status=str(row["status"]),
        country=str(row["country"]),
        domains=_texts(row["domains"]),
        cities=_texts(row["cities"]),
        fulfilment_types=_texts(row["fulfilment_types"]),
    )
    return Particulars(
        subscriber=subscriber,
        legal_name=str(row["legal_name"]),
        contact_email=str(row["contact_email"]),
        encryption_key=str(row["encryption_key"]),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
