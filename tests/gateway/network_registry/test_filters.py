"""Beckn's lookup at the root: a filter with every name in use, answered in Beckn's names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.network_registry.counters import Lookups
from gateway.network_registry.entrance import RegistryEntrance, Site
from uhi.messages.lookup import read_lookup_answer
from uhi.ports import Inbound
from uhi.registry.rows import read_rows
from uhi.signing import sign
from uhi.signing.beckn_challenge import new_private_key, public_half
from uhi.subscribers import Role


@pytest.fixture
def find(members, clock, calls, signers):
    """Looks up by a filter; returns status and rows."""
    site = Site("registry.uhi", members, clock, calls, signers["registry.uhi"])
    entrance = RegistryEntrance(site, Lookups(site).beckn_counters())

    async def look_up(wanted: dict[str, object], who: str = "app.eua"):
        body = json.dumps(wanted).encode()
        headers = {
            "content-type": ("application/json",),
            "authorization": (sign(body, signers[who], created=int(clock.now())),),
        }
        reply = await entrance.take(Inbound("lookup", headers, body))
        return reply.status, json.loads(reply.body)

    return look_up


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"app.eua", "clinic.hspa", "other.hspa", "gateway.uhi", "registry.uhi"}),
        ({"type": "BPP"}, {"clinic.hspa", "other.hspa"}),
        ({"type": "sellerApp"}, {"clinic.hspa", "other.hspa"}),
        ({"type": "bap"}, {"app.eua"}),
        ({"subscriber_id": "clinic.hspa"}, {"clinic.hspa"}),
        ({"subscriber_id": "clinic.hspa", "ukId": "k1"}, {"clinic.hspa"}),
        ({"callback_url": "https://other.hspa.example/"}, {"other.hspa"}),
        ({"domain": "nic2004:85111", "type": "BPP"}, {"clinic.hspa", "other.hspa"}),
        ({"type": "BPP", "location": {"country": {"code": "IND"}}}, {"clinic.hspa", "other.hspa"}),
        ({"type": "BPP", "city": "std:080, std:011"}, {"clinic.hspa", "other.hspa"}),
        ({"type": "BPP", "city": "*"}, {"clinic.hspa", "other.hspa"}),
    ],
)
async def test_filter_finds_whom_it_names(find, wanted, found):
    """Beckn 13.1: a subscription used as a filter; what it does not name is not looked at."""
    status, rows = await find(wanted)

    assert status == 200
    assert {row["subscriber_id"] for row in rows} == found


@pytest.mark.parametrize(
    "wanted",
    [
        {"subscriber_id": "nobody"},
        {"subscriber_id": "clinic.hspa", "key_id": "k9"},
        {"type": "BPP", "domain": "nic2004:99999"},
        {"type": "BPP", "country": "USA"},
        {"status": "SUSPENDED"},
    ],
)
async def test_filter_that_nobody_fits_is_404(find, wanted):
    """UHI registry lookup: nobody is told as an error object."""
    status, answer = await find(wanted)

    assert (status, answer["error"]["code"]) == (404, "UHI-1413")


async def test_inactive_members_are_found_only_by_their_status(find, members):
    """REG-06: who is not SUBSCRIBED is not handed out unasked."""
    [member] = members.with_id("other.hspa")
    members.replace(replace(member, subscriber=replace(member.subscriber, status="SUSPENDED")))

    _, active = await find({"type": "BPP"})
    _, suspended = await find({"type": "BPP", "status": "suspended"})

    assert [row["subscriber_id"] for row in active] == ["clinic.hspa"]
    assert [row["subscriber_id"] for row in suspended] == ["other.hspa"]


async def test_row_carries_the_names_of_beckn(find, members, signers):
    """Beckn 13.1: each name that peers read, and the encryption key under its own."""
    encryption = public_half(new_private_key())
    [member] = members.with_id("clinic.hspa")
    members.replace(replace(member, encryption_key=encryption))

    _, [row] = await find({"subscriber_id": "clinic.hspa"})

    assert (row["type"], row["status"]) == ("BPP", "SUBSCRIBED")
    assert row["key_id"] == row["unique_key_id"] == row["pub_key_id"] == "k1"
    assert row["url"] == row["subscriber_url"] == "https://clinic.hspa.example"
    assert row["signing_public_key"] == signers["clinic.hspa"].key.public.raw_base64()
    assert row["encr_public_key"] == encryption


async def test_row_without_encryption_key_is_read_by_our_own_client(find, signers):
    """Accept and emit: what we write as Beckn's registry, we read."""
    _, rows = await find({"subscriber_id": "clinic.hspa"})

    [record] = read_rows(read_lookup_answer(rows))
    assert record.subscriber.role is Role.PROVIDER
    assert record.key.public == signers["clinic.hspa"].key.public


@pytest.mark.parametrize("wanted", [{"type": "NONSENSE"}, {"subscriber_id": 7}, {"city": ["std:080"]}])
async def test_filter_that_cannot_be_read_is_refused(find, wanted):
    """Error table: 400, never a wider answer than was asked for."""
    status, answer = await find(wanted)

    assert (status, answer["error"]["code"]) == (400, "UHI-1404")
