"""Which members answer a lookup, and how they are written: one row per subscriber and key.

Pure. Above: `entrance`. Sources: UHI registry lookup (array of rows, both key fields carry the verification key),
Beckn registry lookup (the key fields mean what they say).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from gateway.network_registry.filters import Wanted
from uhi.messages import Lookup, ProviderLookup
from uhi.registry.memory import EVERYTHING, Member, is_provider_for, is_registered_for
from uhi.registry.rows import clean_url, moment_text
from uhi.subscribers import SUBSCRIBED, Role, Subscriber, SubscriberKey

Row = dict[str, object]

MOST_ROWS = 1_000
"""The most rows of an answer to a filter; who looks for more narrows it."""

_BECKN_TYPES = {Role.CONSUMER: "BAP", Role.PROVIDER: "BPP", Role.GATEWAY: "BG"}


def rows_for(lookup: Lookup, members: Iterable[Member]) -> list[Row]:
    """The rows of the members that fit everything a lookup names; without a key id, one for each of their keys.

    The city is not matched: senders name one for all of India.
    """
    return [
        _row(member.subscriber, key, lookup.domain)
        for member in members
        if _fits(member.subscriber, lookup)
        for key in member.keys
        if lookup.key_id in (None, key.id)
    ]


def provider_rows(lookup: ProviderLookup, members: Iterable[Member]) -> list[Row]:
    """The rows of the active providers registered for a domain and country, and for a city where one is named."""
    return [
        _row(member.subscriber, key, lookup.domain)
        for member in members
        if is_provider_for(member.subscriber, domain=lookup.domain, country=lookup.country)
        and _serves(member.subscriber, lookup.city)
        for key in member.keys
    ]


def filtered_rows(wanted: Wanted, members: Iterable[Member]) -> list[Row]:
    """The rows, in Beckn's names, of the members that fit a filter; of active ones where it names no status.

    At most `MOST_ROWS`.
    """
    rows = (
        _beckn_row(member, key, wanted.domain)
        for member in members
        if _is_wanted(member.subscriber, wanted)
        for key in member.keys
        if wanted.key_id in ("", key.id)
    )
    return list(islice(rows, MOST_ROWS))


def _is_wanted(subscriber: Subscriber, wanted: Wanted) -> bool:
    return (
        wanted.subscriber_id in ("", subscriber.id)
        and wanted.role in (None, subscriber.role)
        and subscriber.status == (wanted.status or SUBSCRIBED)
        and wanted.country.lower() in ("", subscriber.country.lower())
        and (not wanted.domain or not subscriber.domains or bool({wanted.domain, EVERYTHING} & set(subscriber.domains)))
        and (not wanted.cities or bool((wanted.cities | {EVERYTHING}) & set(subscriber.cities)))
        and (not wanted.url or clean_url(wanted.url) == subscriber.url)
    )


def _fits(subscriber: Subscriber, lookup: Lookup) -> bool:
    # Parties without domains, such as gateways, answer whatever domain the question is about.
    domain = lookup.domain if lookup.domain and subscriber.domains else None
    return (
        subscriber.id == lookup.subscriber_id
        and (not lookup.type or Role.read(lookup.type) is subscriber.role)
        and (not lookup.country or lookup.country.lower() == subscriber.country.lower())
        and (domain is None or is_registered_for(subscriber, domain=domain, country=subscriber.country))
        and (not lookup.subscriber_url or clean_url(lookup.subscriber_url) == subscriber.url)
    )


def _serves(subscriber: Subscriber, city: str | None) -> bool:
    return not city or city == EVERYTHING or bool({city, EVERYTHING} & set(subscriber.cities))


def _beckn_row(member: Member, key: SubscriberKey, asked_domain: str) -> Row:
    row = _row(member.subscriber, key, asked_domain or None)
    del row["encr_public_key"]
    row |= {
        "type": _BECKN_TYPES.get(member.subscriber.role, member.subscriber.role.value),
        "key_id": key.id,
        "unique_key_id": key.id,
        "url": member.subscriber.url,
        "signing_public_key": key.public.raw_base64(),
    }
    if member.encryption_key:
        row["encr_public_key"] = member.encryption_key
    return row


def _row(subscriber: Subscriber, key: SubscriberKey, asked_domain: str | None) -> Row:
    covered = subscriber.domains and (asked_domain in subscriber.domains or EVERYTHING in subscriber.domains)
    public = key.public.spki_base64()
    row: Row = {
        "subscriber_id": subscriber.id,
        "participant_id": subscriber.id,
        "pub_key_id": key.id,
        "type": subscriber.role.value,
        "status": subscriber.status,
        "subscriber_url": subscriber.url,
        "country": subscriber.country,
        "domain": asked_domain if covered else next(iter(subscriber.domains), None),
        "domains": list(subscriber.domains),
        "city": next(iter(subscriber.cities), None),
        "cities": list(subscriber.cities),
        "fulfilment_types": list(subscriber.fulfilment_types),
        "encr_public_key": public,
        "signing_public_key": public,
        "signing_profile": key.profile.name,
        "valid_from": moment_text(key.valid_from),
        "valid_until": moment_text(key.valid_until),
    }
    return {name: value for name, value in row.items() if value not in (None, [])}
