"""The registry in memory: who is found, under which role and key, and for which searches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uhi.errors import Refusal, SetupError
from uhi.faults import SUBSCRIBER_UNKNOWN
from uhi.registry import Member, MemoryRegistry
from uhi.subscribers import KeyRef, Role

DOMAIN = "nic2004:85111"


def changed(member: Member, **changes: object) -> Member:
    return replace(member, subscriber=replace(member.subscriber, **changes))


async def test_record_is_found_by_subscriber_key_and_role(make_member):
    """Decision 26: the registry is asked by all three."""
    registry = MemoryRegistry([make_member(key_ids=("k1", "k2"))])

    record = await registry.record(KeyRef("clinic.hspa", "k2", Role.PROVIDER))

    assert (record.subscriber.id, record.key.id) == ("clinic.hspa", "k2")


@pytest.mark.parametrize(
    "ref",
    [
        KeyRef("clinic.hspa", "k3", Role.PROVIDER),
        KeyRef("clinic.hspa", "k1", Role.CONSUMER),
        KeyRef("other.hspa", "k1", Role.PROVIDER),
        KeyRef("Clinic.hspa", "k1", Role.PROVIDER),
    ],
)
async def test_record_that_is_not_quite_there_is_unknown(make_member, ref):
    """Registry rules: nothing is found by half."""
    registry = MemoryRegistry([make_member()])

    with pytest.raises(Refusal) as caught:
        await registry.record(ref)

    assert caught.value.fault is SUBSCRIBER_UNKNOWN


@pytest.mark.case("REG-07")
async def test_equal_key_ids_of_two_subscribers_stay_apart(make_member):
    """REG-07: a key id means nothing without its subscriber."""
    registry = MemoryRegistry([make_member("a.hspa"), make_member("b.hspa")])

    record = await registry.record(KeyRef("b.hspa", "k1", Role.PROVIDER))

    assert record.subscriber.id == "b.hspa"


@pytest.mark.case("REG-06")
@pytest.mark.parametrize("status", ["INITIATED", "UNDER_REVIEW", "SUSPENDED", "REVOKED", "EXPIRED", ""])
async def test_inactive_subscriber_is_shown_but_not_searched(make_member, status):
    """REG-06: the door refuses the record by its status; a fan-out never sees it."""
    registry = MemoryRegistry([changed(make_member(), status=status)])

    record = await registry.record(KeyRef("clinic.hspa", "k1", Role.PROVIDER))

    assert record.subscriber.status == status
    assert await registry.providers(DOMAIN, "IND") == ()


async def test_providers_are_those_of_the_domain_and_country_in_order(make_member):
    """Decision 25: matching by domain and country; upper and lower case are the same."""
    others = [
        make_member("app.eua", Role.CONSUMER),
        changed(make_member("blood.hspa"), domains=("nic2008:86906",)),
        changed(make_member("abroad.hspa"), country="LKA"),
        changed(make_member("unsaid.hspa"), domains=()),
    ]
    registry = MemoryRegistry([make_member("b.hspa"), *others, changed(make_member("a.hspa"), domains=("*",))])

    found = await registry.providers(DOMAIN.upper(), "ind")

    assert [each.id for each in found] == ["a.hspa", "b.hspa"]


async def test_subscriber_may_have_two_roles(make_member):
    """Decision 27: one subscriber in one role is one entry."""
    registry = MemoryRegistry([make_member("nha", Role.PROVIDER), make_member("nha", Role.CONSUMER)])

    assert (await registry.subscriber("nha", Role.CONSUMER)).role is Role.CONSUMER
    assert [member.subscriber.role for member in registry.with_id("nha")] == [Role.CONSUMER, Role.PROVIDER]


async def test_members_can_be_replaced_and_removed(make_member):
    """Ours: a test revokes, rotates and moves subscribers."""
    registry = MemoryRegistry([make_member()])

    registry.replace(make_member(key_ids=("k2",)))
    record = await registry.record(KeyRef("clinic.hspa", "k2", Role.PROVIDER))
    registry.remove("clinic.hspa", Role.PROVIDER)

    assert record.key.id == "k2"
    assert registry.members() == ()


def test_second_entry_of_a_subscriber_is_a_setup_error(make_member):
    """Registry rules: an id is unique in its role."""
    with pytest.raises(SetupError, match=r"clinic\.hspa is there already as provider"):
        MemoryRegistry([make_member(), make_member()])


def test_second_key_of_one_id_is_a_setup_error(make_member):
    """Registry rules: a key id names one key."""
    with pytest.raises(SetupError, match="two keys of one id"):
        make_member(key_ids=("k1", "k1"))
