"""Which members answer, and how a row is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.network_registry.lookup import provider_rows, rows_for
from uhi.messages import Lookup, ProviderLookup
from uhi.messages.lookup import read_lookup_answer
from uhi.registry import Member, MemoryRegistry
from uhi.registry.rows import read_rows
from uhi.signing import BECKN, UHI, PrivateKey
from uhi.subscribers import Role, Subscriber, SubscriberKey

DOMAIN = "nic2004:85111"
SEARCH = ProviderLookup(domain=DOMAIN, country="IND")


def lookup(**changes: str) -> Lookup:
    fields = {"subscriber_id": "clinic.hspa", "type": "HSPA", "domain": DOMAIN, "country": "IND", "pub_key_id": "k1"}
    return Lookup(**(fields | changes))


def changed(members: MemoryRegistry, subscriber_id: str = "clinic.hspa", **changes: object) -> tuple[Member, ...]:
    [member] = members.with_id(subscriber_id)
    return (replace(member, subscriber=replace(member.subscriber, **changes)),)


def test_row_has_the_published_form(members, signers):
    """UHI registry lookup: answer fields; both key fields carry the verification key, times have milliseconds and Z."""
    public = signers["clinic.hspa"].key.public.spki_base64()

    [row] = rows_for(lookup(), members.members())

    assert row == {
        "subscriber_id": "clinic.hspa",
        "participant_id": "clinic.hspa",
        "pub_key_id": "k1",
        "type": "provider",
        "status": "SUBSCRIBED",
        "subscriber_url": "https://clinic.hspa.example",
        "country": "IND",
        "domain": DOMAIN,
        "domains": [DOMAIN],
        "city": "*",
        "cities": ["*"],
        "encr_public_key": public,
        "signing_public_key": public,
        "signing_profile": "uhi",
        "valid_from": "2025-12-31T23:43:20.000Z",
        "valid_until": "2026-01-12T13:46:40.000Z",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"subscriber_id": "nobody.hspa"},
        {"type": "EUA"},
        {"type": "gateway"},
        {"type": "doctor"},
        {"domain": "nic2008:86906"},
        {"country": "LKA"},
        {"pub_key_id": "k2"},
        {"subscriber_url": "https://elsewhere.example"},
    ],
)
def test_member_that_does_not_fit_everything_is_not_answered(members, changes):
    """UHI registry lookup: 404 when no participant matches; a hospital is no patient app."""
    assert rows_for(lookup(**changes), members.members()) == []


@pytest.mark.parametrize(
    "changes",
    [{"type": "provider"}, {"type": "bpp"}, {"domain": DOMAIN.upper()}, {"country": "ind"}, {"city": "std:8"}],
)
def test_spellings_and_cities_do_not_matter(members, changes):
    """UHI accept and emit: both spellings of the type; the city of a lookup is everybody's default."""
    assert len(rows_for(lookup(**changes), members.members())) == 1


@pytest.mark.parametrize(
    ("subscriber_id", "kind"), [("gateway.uhi", "gateway"), ("registry.uhi", "registry"), ("app.eua", "EUA")]
)
def test_parties_without_domains_are_found_for_any(members, subscriber_id, kind):
    """UHI registry lookup: gateways are looked up with the caller's domain."""
    [row] = rows_for(lookup(subscriber_id=subscriber_id, type=kind), members.members())

    assert "domain" not in row


def test_lookup_without_a_key_gives_a_row_for_each(members):
    """Decision 26: an address needs no key; one row per subscriber and key."""
    [member] = members.with_id("clinic.hspa")
    second = replace(member.keys[0], id="k2", profile=BECKN)

    rows = rows_for(Lookup(subscriber_id="clinic.hspa"), [replace(member, keys=(*member.keys, second))])

    assert [(row["pub_key_id"], row["signing_profile"]) for row in rows] == [("k1", "uhi"), ("k2", "beckn")]


def test_inactive_member_is_answered_with_its_status(members):
    """REG-06: a lookup tells the status; the asker judges it."""
    [row] = rows_for(lookup(), changed(members, status="SUSPENDED"))

    assert row["status"] == "SUSPENDED"


def test_domain_of_the_question_is_the_domain_of_the_row(members):
    """UHI registry lookup: a row names one domain, and it is the one that was asked for."""
    [row] = rows_for(lookup(), changed(members, domains=("nic2008:86906", DOMAIN)))

    assert (row["domain"], row["domains"]) == (DOMAIN, ["nic2008:86906", DOMAIN])


def test_providers_are_the_active_hospitals_of_the_domain(members):
    """Decision 26: the gateway's list; REG-06: nobody inactive is in it."""
    members.replace(changed(members, "other.hspa", status="SUSPENDED")[0])

    rows = provider_rows(SEARCH, members.members())

    assert [row["subscriber_id"] for row in rows] == ["clinic.hspa"]


@pytest.mark.parametrize(
    ("cities", "found"), [(("std:011",), 1), (("*",), 1), (("std:080", "std:011"), 1), (("std:080",), 0), ((), 0)]
)
def test_providers_of_a_city_are_those_registered_for_it(members, cities, found):
    """Decision 26: the city is optional in a search for providers."""
    rows = provider_rows(ProviderLookup(domain=DOMAIN, country="IND", city="std:011"), changed(members, cities=cities))

    assert len(rows) == found


_ids = st.from_regex(r"[a-z0-9._:-]{1,20}", fullmatch=True)
_names = st.lists(_ids, max_size=3, unique=True).map(tuple)
_subscribers = st.builds(
    Subscriber,
    id=_ids,
    role=st.sampled_from(Role),
    url=st.just("https://a.example/uhi"),
    status=st.sampled_from(["SUBSCRIBED", "SUSPENDED"]),
    country=st.just("IND"),
    domains=_names,
    cities=_names,
    fulfilment_types=_names,
)


@given(_subscribers, _ids, st.sampled_from([UHI, BECKN]), st.integers(0, 2**31), st.integers(1, 2**31))
def test_what_the_registry_writes_its_client_reads(subscriber, key_id, profile, start, life):
    """Ours: rows lose nothing on the way to a client of this library."""
    key = SubscriberKey(key_id, PrivateKey(bytes(32)).public, profile, float(start), float(start + life))

    [row] = rows_for(Lookup(subscriber_id=subscriber.id), [Member(subscriber, (key,))])
    [record] = read_rows(read_lookup_answer([row]))

    assert (record.subscriber, record.key) == (subscriber, key)
