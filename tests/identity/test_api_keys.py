"""API keys: what one may do, for how long, and that a copy of the database is no key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.identity.lobby import Lobby
from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, RECORD_MISSING, REQUEST_INVALID, TOKEN_INVALID, Fault
from uhi.identity.api_keys import KeyWanted, NewApiKey
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.rules import Rule, check

DAY = 86_400.0
TENANT = "app.example"
OWNER = Grant(AccessRole.SUBSCRIBER_OWNER, TENANT)
DEVELOPER = Grant(AccessRole.SUBSCRIBER_DEVELOPER, TENANT)
OWN = frozenset({Permission.SUBSCRIBER_OWN})
MAKER = Principal(kind=PrincipalKind.PERSON, id="asha")
ACTING = Acting(actor="asha", kind=ActorKind.PERSON, address="203.0.113.7")


@pytest.fixture
async def lobby(database_url: str, tmp_path: Path) -> AsyncIterator[Lobby]:
    async with Lobby.open(database_url, tmp_path) as lobby:
        await lobby.person("asha", OWNER, Grant(AccessRole.AUDITOR, "other.example"))
        yield lobby


async def made(lobby: Lobby, scopes: frozenset[Permission] = OWN, **rest) -> NewApiKey:
    wanted = KeyWanted(**{"name": "sync", "tenant": TENANT, "scopes": scopes, **rest})
    return await lobby.api_keys().make(wanted, maker=MAKER, acting=ACTING)


async def refused(answer, fault: Fault = TOKEN_INVALID) -> None:
    with pytest.raises(Refusal) as refusal:
        await answer
    assert refusal.value.fault is fault


async def test_a_key_stands_for_a_service_with_its_scopes(lobby: Lobby):
    """Security, IAM: `uhi_live_<keyid>_<43 chars>`, scopes, within one tenant."""
    new = await made(lobby)

    principal = await lobby.api_keys().principal_of(new.text)

    assert re.fullmatch(rf"uhi_live_{new.key.id}_[A-Za-z0-9_-]{{43}}", new.text)
    assert principal == Principal(kind=PrincipalKind.SERVICE, id=new.key.id, scopes=OWN, tenant=TENANT)
    assert new.text not in repr(new)


@pytest.mark.case("IAM-13")
async def test_a_key_from_a_copy_of_the_database_opens_nothing(lobby: Lobby):
    """Security, IAM: SHA-256 stored, shown once."""
    new = await made(lobby)

    rows = await lobby.rows("SELECT id, digest FROM api_key")

    assert new.text.rpartition("_")[2] not in str(rows)
    for secret in (str(rows[0][1])[:43], "A" * 43, new.text[-43:-1] + "~"):
        await refused(lobby.api_keys().principal_of(f"uhi_live_{new.key.id}_{secret}"))


@pytest.mark.case("IAM-13")
async def test_a_revoked_key_is_refused_within_a_second_in_every_process(lobby: Lobby):
    """Security, IAM: revoke <= 1 s."""
    new = await made(lobby)
    here, there = lobby.api_keys(), lobby.api_keys()
    await here.principal_of(new.text)
    await there.principal_of(new.text)

    await here.revoke(new.key.id, acting=ACTING)

    await refused(here.principal_of(new.text))
    await lobby.clock.advance(1)
    await refused(there.principal_of(new.text))


@pytest.mark.case("IAM-13")
async def test_a_key_of_another_scope_is_denied(lobby: Lobby):
    """Security, IAM: 403."""
    principal = await lobby.api_keys().principal_of((await made(lobby)).text)

    check(Rule(Permission.SUBSCRIBER_OWN), principal, now=lobby.clock.now())

    with pytest.raises(Refusal) as refusal:
        check(Rule(Permission.AUDIT_READ), principal, now=lobby.clock.now())
    assert refusal.value.fault is ACCESS_DENIED


async def test_a_key_ends_when_its_days_are_over(lobby: Lobby):
    """Security, IAM: a year at most."""
    new = await made(lobby, days=365)
    keys = lobby.api_keys()

    await lobby.clock.advance(365 * DAY - 1)
    await keys.principal_of(new.text)
    await lobby.clock.advance(1)

    await refused(keys.principal_of(new.text))


WRONG = {
    "a year and a day": {"days": 366},
    "no time": {"days": 0},
    "not a number of days": {"days": float("nan")},
    "no scope": {"scopes": frozenset()},
    "a human scope": {"scopes": frozenset({Permission.STAFF_MANAGE})},
    "a human scope beside another": {"scopes": OWN | {Permission.ACCOUNT_OWN}},
    "no name": {"name": " "},
    "a long name": {"name": "x" * 101},
    "a name with control characters": {"name": "x\0"},
}


async def test_what_no_key_has_is_refused(lobby: Lobby):
    """Security, IAM: scopes, a year, and what takes people only."""
    for wrong in WRONG.values():
        await refused(made(lobby, **wrong), REQUEST_INVALID)


async def test_nobody_gives_a_key_more_than_they_have(lobby: Lobby):
    """The issue: never more than the maker's own, within the tenant in which they have it."""
    mine = Permission.SUBSCRIBER_OWN

    for scope, tenant in ((Permission.MONEY_MANAGE, TENANT), (mine, "other.example"), (mine, "")):
        await refused(made(lobby, frozenset({scope}), tenant=tenant), ACCESS_DENIED)

    assert await lobby.rows("SELECT count(*) FROM api_key") == [(0,)]


async def test_a_key_makes_no_keys(lobby: Lobby):
    """Ours: a stolen key would outlive its revocation."""
    principal = await lobby.api_keys().principal_of((await made(lobby)).text)
    wanted = KeyWanted(name="more", tenant=TENANT, scopes=OWN)

    await refused(lobby.api_keys().make(wanted, maker=principal, acting=ACTING), ACCESS_DENIED)


async def test_a_key_loses_what_its_maker_loses(lobby: Lobby):
    """Ours: never more than the maker's own, for as long as it lives."""
    new = await made(lobby)
    await lobby.run("DELETE FROM account_grant WHERE role = 'subscriber.owner'")

    principal = await lobby.api_keys().principal_of(new.text)

    assert principal.scopes == frozenset()


async def test_a_key_ends_with_its_makers_account(lobby: Lobby):
    """Ours: who was let go has no key left behind."""
    new = await made(lobby)
    await lobby.change("asha", state="CLOSED")

    await refused(lobby.api_keys().principal_of(new.text))


async def test_each_change_of_a_key_is_audited_once(lobby: Lobby):
    """The issue: each change audited, in the same step."""
    new = await made(lobby)
    await lobby.api_keys().revoke(new.key.id, acting=ACTING)
    await lobby.api_keys().revoke(new.key.id, acting=ACTING)

    rows = await lobby.rows("SELECT action, actor, object, before, after FROM audit ORDER BY seq")

    assert [row[:3] for row in rows] == [
        (f"api_key.{verb}", "asha", f"api key {new.key.id}") for verb in ("make", "revoke")
    ]
    assert rows[0][3:] == ("", rows[1][3])
    assert rows[1][4] not in {"", rows[1][3]}


async def test_the_last_use_is_kept_at_most_once_a_minute(lobby: Lobby):
    """Security, IAM: last_used, without a write for each request."""
    new = await made(lobby)
    keys, seen = lobby.api_keys(), []
    for seconds in (0, 2, 50, 8):
        await lobby.clock.advance(seconds)
        await keys.principal_of(new.text)
        await lobby.flush()
        seen.append((await keys.find(new.key.id)).last_used_at)

    assert [at - new.key.created_at for at in seen] == [0, 0, 0, 60]


async def test_a_tenant_sees_its_keys_and_no_others(lobby: Lobby):
    """Ours: to revoke a key one has to see it; the key itself nobody sees again."""
    one, other = await made(lobby, name="one"), await made(lobby, name="other")
    await lobby.api_keys().revoke(one.key.id, acting=ACTING)
    audit = frozenset({Permission.AUDIT_READ})
    foreign = await made(lobby, audit, tenant="other.example")

    seen = await lobby.api_keys().of_tenant(TENANT)

    assert {each.id for each in seen} == {one.key.id, other.key.id}
    assert [each.revoked_at is None for each in seen if each.id == one.key.id] == [False]
    assert await lobby.api_keys().find(foreign.key.id) == foreign.key


async def test_a_key_that_is_not_there_is_missing(lobby: Lobby):
    """Ours: an id out of a path is anybody's text."""
    for key_id in ("", "0" * 16, "\0", "' OR 1=1 --"):
        await refused(lobby.api_keys().find(key_id), RECORD_MISSING)
        await refused(lobby.api_keys().revoke(key_id, acting=ACTING), RECORD_MISSING)


async def test_what_is_no_key_is_refused(lobby: Lobby):
    """Ours: whatever is sent, one refusal."""
    unknown = "uhi_live_" + "0" * 16 + "_" + "a" * 43

    for text in ("", "uhi_live_", "uhi_live_0_" + "a" * 43, unknown, unknown + "\n", "x" * 100_000, "ü\ud800"):
        await refused(lobby.api_keys().principal_of(text))


async def test_a_developer_may_make_a_key_too(lobby: Lobby):
    """Security, IAM: a subscriber's developers have its own sandbox and keys."""
    await lobby.person("dev", DEVELOPER)
    wanted = KeyWanted(name="sandbox", tenant=TENANT, scopes=OWN, days=1)

    new = await lobby.api_keys().make(wanted, maker=Principal(kind=PrincipalKind.PERSON, id="dev"), acting=ACTING)

    assert (await lobby.api_keys().principal_of(new.text)).scopes == OWN
