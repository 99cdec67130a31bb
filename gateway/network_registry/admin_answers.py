"""What the registry's administration answers: entries and changes, with public keys only.

Above: `admin_routes`; below: `standing`. Who may see whom to write to is said by the route.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from gateway.network_registry.standing import Change, HeldKey, Particulars, Pending, Standing
from uhi.api.routes import Answer
from uhi.signing import PublicKey
from uhi.subscribers import SubscriberKey

_GROUP, _SHOWN = 4, 16

Names = Mapping[str, str]


class KeyAnswer(Answer):
    """A key's public half. `fingerprint` is the beginning of the SHA-256 of its raw bytes, to be compared by telephone.
    Times are Unix seconds; `revoked_at` is null while it is not revoked."""

    key_id: str
    public_key: str
    fingerprint: str
    profile: str
    valid_from: float
    valid_until: float
    added_at: float | None
    revoked_at: float | None
    is_active: bool


class EntryAnswer(Answer):
    """What is, or is to be, registered. `contact_email` is null for whom it is none of their business."""

    role: str
    url: str
    legal_name: str
    contact_email: str | None
    country: str
    domains: tuple[str, ...]
    cities: tuple[str, ...]
    fulfilment_types: tuple[str, ...]
    encryption_key: str


class PendingAnswer(Answer):
    """What waits. `amends` tells a change of a member from an application. `reviewed_by` and `approved_by` are ids of
    accounts, `people` the e-mail addresses of those that still exist, by these ids."""

    id: str
    amends: bool
    submitted_by: str
    submitted_at: float
    wanted: EntryAnswer
    keys: tuple[KeyAnswer, ...]
    missing: tuple[str, ...]
    reviewed_by: str
    approved_by: tuple[str, ...]
    people: dict[str, str]


class SubscriberAnswer(Answer):
    """One subscriber or applicant."""

    subscriber_id: str
    status: str
    entry: EntryAnswer
    keys: tuple[KeyAnswer, ...]
    pending: PendingAnswer | None
    created_at: float
    updated_at: float


class SubscriberList(Answer):
    """A page of them; `total` and `pages` count all that fit."""

    subscribers: tuple[SubscriberAnswer, ...]
    total: int
    page: int
    pages: int


class ChangeAnswer(Answer):
    """One numbered change; `keys` are the ids in force after it."""

    seq: int
    at: float
    subscriber_id: str
    role: str
    status: str
    keys: tuple[str, ...]
    action: str


class ChangeList(Answer):
    """Changes in order."""

    changes: tuple[ChangeAnswer, ...]


class Export(Answer):
    """The whole register as of a number."""

    registry_seq: int
    subscribers: tuple[SubscriberAnswer, ...]


def people_in(standing: Standing) -> tuple[str, ...]:
    """The accounts that had a part in what waits."""
    waiting = standing.pending
    return () if waiting is None else tuple(filter(None, (waiting.reviewed_by, *waiting.approved_by)))


def fingerprint_of(public: PublicKey) -> str:
    """The beginning of the SHA-256 of a raw key, in groups of four: `9f86 d081 884c 7d65`."""
    digits = sha256(public.raw).hexdigest()[:_SHOWN]
    return " ".join(digits[start : start + _GROUP] for start in range(0, _SHOWN, _GROUP))


def subscriber_answer(standing: Standing, *, now: float, sees_contact: bool, names: Names) -> SubscriberAnswer:
    """What is shown of a subscriber; `names` are the e-mail addresses of accounts."""
    waiting = standing.pending
    return SubscriberAnswer(
        subscriber_id=standing.id,
        status=standing.status,
        entry=_entry(standing.particulars, sees_contact=sees_contact),
        keys=tuple(_held(held, now) for held in standing.keys),
        pending=None if waiting is None else _pending(standing, waiting, sees_contact=sees_contact, names=names),
        created_at=standing.created_at,
        updated_at=standing.updated_at,
    )


def change_answer(change: Change) -> ChangeAnswer:
    """What is shown of a change."""
    return ChangeAnswer(
        seq=change.seq,
        at=change.at,
        subscriber_id=change.subscriber_id,
        role=change.role.value,
        status=change.status,
        keys=change.keys,
        action=change.action,
    )


def _pending(standing: Standing, waiting: Pending, *, sees_contact: bool, names: Names) -> PendingAnswer:
    return PendingAnswer(
        id=waiting.id,
        amends=waiting.amends,
        submitted_by=waiting.submitted_by,
        submitted_at=waiting.submitted_at,
        wanted=_entry(waiting.wanted, sees_contact=sees_contact),
        keys=tuple(_key(key, None, None, is_active=False) for key in waiting.keys),
        missing=standing.missing,
        reviewed_by=waiting.reviewed_by,
        approved_by=waiting.approved_by,
        people={each: names[each] for each in people_in(standing) if each in names},
    )


def _entry(particulars: Particulars, *, sees_contact: bool) -> EntryAnswer:
    subscriber = particulars.subscriber
    return EntryAnswer(
        role=subscriber.role.value,
        url=subscriber.url,
        legal_name=particulars.legal_name,
        contact_email=particulars.contact_email if sees_contact else None,
        country=subscriber.country,
        domains=subscriber.domains,
        cities=subscriber.cities,
        fulfilment_types=subscriber.fulfilment_types,
        encryption_key=particulars.encryption_key,
    )


def _held(held: HeldKey, now: float) -> KeyAnswer:
    return _key(held.key, held.added_at, held.revoked_at, is_active=held.is_active(now))


def _key(key: SubscriberKey, added_at: float | None, revoked_at: float | None, *, is_active: bool) -> KeyAnswer:
    return KeyAnswer(
        key_id=key.id,
        public_key=key.public.raw_base64(),
        fingerprint=fingerprint_of(key.public),
        profile=key.profile.name,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        added_at=added_at,
        revoked_at=revoked_at,
        is_active=is_active,
    )
