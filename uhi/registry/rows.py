"""From the rows of a registry's answer to records: read liberally, kept strictly.

Pure. A row without a usable key, role or validity is left out. Source: UHI network registry lookup and its older forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from urllib.parse import urlsplit

from uhi.errors import Refusal
from uhi.messages.lookup import LookupRecord
from uhi.messages.times import utc_time
from uhi.signing import PROFILES, UHI, PublicKey
from uhi.subscribers import SUBSCRIBED, Record, Role, Subscriber, SubscriberKey

_FOREVER = datetime(9998, 1, 1, tzinfo=UTC).timestamp()
_ENDS = ("valid_until", "valid_to", "expires")


def read_rows(rows: Iterable[LookupRecord]) -> list[Record]:
    """A record for each usable row, in their order."""
    return [record for record in map(_record, rows) if record is not None]


def choose(records: Iterable[Record]) -> Record | None:
    """One record for several rows of one subscriber and key: an active one if there is one, then the longest valid.

    Registries answer with a row per domain and city, so those of all rows with its status and key are joined.
    """
    all_records = list(records)
    if not all_records:
        return None
    best = max(all_records, key=lambda record: (record.subscriber.status == SUBSCRIBED, record.key.valid_until))
    alike = [
        record.subscriber
        for record in all_records
        if record.key == best.key and record.subscriber.status == best.subscriber.status
    ]
    return replace(best, subscriber=join([best.subscriber, *alike]))


def join(subscribers: Iterable[Subscriber]) -> Subscriber:
    """One subscriber from its rows, of which there is at least one: the first, with the domains and cities of all.

    Fulfilment types are those of all rows, and not declared where one row declares none.
    """
    rows = list(subscribers)
    declared = all(row.fulfilment_types for row in rows)
    return replace(
        rows[0],
        domains=_united(row.domains for row in rows),
        cities=_united(row.cities for row in rows),
        fulfilment_types=_united(row.fulfilment_types for row in rows) if declared else (),
    )


def moment_text(seconds: float) -> str:
    """Unix seconds as registries write them: `2026-01-01T00:00:00.000Z`; what lies past year 9997 is cut."""
    return utc_time(datetime.fromtimestamp(min(max(seconds, 0.0), _FOREVER), UTC))


def clean_url(text: str) -> str:
    """An address without blanks around it and slashes at its end; empty when it is no http(s) address."""
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def _record(row: LookupRecord) -> Record | None:
    role = Role.read(row.type or "")
    key = _key(row)
    if role is None or key is None:
        return None
    subscriber = Subscriber(
        id=row.subscriber_id,
        role=role,
        url=clean_url(row.url or ""),
        status=row.status or "",
        country=row.country or "",
        domains=_many(row, "domains", row.domain),
        cities=_many(row, "cities", row.city),
        fulfilment_types=_many(row, "fulfilment_types", None),
    )
    return Record(subscriber, key)


def _key(row: LookupRecord) -> SubscriberKey | None:
    extra = row.model_extra or {}
    profile = PROFILES.get(str(extra.get("signing_profile") or UHI.name).lower())
    starts, ends = row.starts_at, row.ends_at
    says_start = bool(row.valid_from)
    says_end = bool(row.valid_until or any(extra.get(name) for name in _ENDS))
    # A validity that is there and cannot be read is no validity.
    if profile is None or (says_start and starts is None) or (says_end and ends is None):
        return None
    try:
        public = PublicKey.read(row.verification_key or "")
    except Refusal:
        return None
    return SubscriberKey(
        id=row.key_id or "",
        public=public,
        profile=profile,
        valid_from=starts.timestamp() if starts else 0.0,
        valid_until=ends.timestamp() if ends else _FOREVER,
    )


def _many(row: LookupRecord, name: str, single: str | None) -> tuple[str, ...]:
    listed = (row.model_extra or {}).get(name)
    texts = listed if isinstance(listed, list) else [single]
    return tuple(text for text in texts if isinstance(text, str) and text)


def _united(texts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(texts)))
