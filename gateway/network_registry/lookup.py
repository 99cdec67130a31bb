"""Which members answer a lookup, and how they are written: one row per subscriber and key.

Pure. Above: `entrance`. Source: UHI registry lookup (array of rows, both key fields carry the verification key).
"""

from __future__ import annotations

from collections.abc import Iterable

from uhi.messages import Lookup, ProviderLookup
from uhi.registry.memory import EVERYTHING, Member, is_provider_for, is_registered_for
from uhi.registry.rows import clean_url, moment_text
from uhi.subscribers import Role, Subscriber, SubscriberKey

Row = dict[str, object]


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
