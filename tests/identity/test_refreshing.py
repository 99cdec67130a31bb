"""Refresh tokens: each exchanged once, the same answer for who asks again at once, and an end when one was stolen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.identity.lobby import ADMIN, CLINICIAN, ELSEWHERE, PATIENT, PHONE, Lobby
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.identity.sessions import Opened, Sessions

HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
async def lobby(database_url: str, tmp_path: Path) -> AsyncIterator[Lobby]:
    async with Lobby.open(database_url, tmp_path) as lobby:
        yield lobby


async def refused(sessions: Sessions, token: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await sessions.refresh(token, PHONE)
    assert refusal.value.fault is TOKEN_INVALID


async def audited(lobby: Lobby) -> list[tuple[object, ...]]:
    return await lobby.rows("SELECT action, actor, outcome FROM audit ORDER BY seq")


async def test_a_refresh_token_is_exchanged_for_the_next_one(lobby: Lobby):
    """Security, IAM: rotated in a family."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT, patient_id="p1"))

    refreshed = await lobby.sessions().refresh(opened.refresh_token, PHONE)

    assert refreshed.session_id == opened.session_id
    assert refreshed.refresh_token not in {"", opened.refresh_token}
    assert lobby.tokens.read(refreshed.access_token, now=lobby.clock.now()) == refreshed.principal
    assert (refreshed.principal.id, refreshed.principal.patient_id) == ("asha", "p1")


@pytest.mark.case("IAM-06")
async def test_a_token_that_comes_again_after_ten_seconds_ends_its_session(lobby: Lobby):
    """Security, IAM: reuse revokes the family, is audited, and its person is told."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))
    sessions = lobby.sessions()
    second = await sessions.refresh(first.refresh_token, PHONE)
    await lobby.clock.advance(10.1)

    await refused(sessions, first.refresh_token)

    await refused(sessions, second.refresh_token)
    assert lobby.told == [("asha", first.session_id)]
    assert await audited(lobby) == [("session.open", "asha", "done"), ("session.reuse", "asha", "refused")]


@pytest.mark.case("IAM-06")
async def test_of_twenty_exchanges_at_once_all_get_one_successor(lobby: Lobby):
    """Security, IAM: row lock on the family, the same successor for the same client."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))
    processes = [lobby.sessions() for _ in range(4)]

    refreshed = await asyncio.gather(
        *(processes[number % 4].refresh(first.refresh_token, PHONE) for number in range(20))
    )

    assert len({each.refresh_token for each in refreshed}) == 1
    assert await lobby.rows("SELECT count(*) FROM refresh_token") == [(2,)]
    await processes[0].refresh(refreshed[0].refresh_token, PHONE)


async def test_of_twenty_reuses_at_once_one_is_told_and_audited(lobby: Lobby):
    """Ours: a person is told once."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))
    processes = [lobby.sessions() for _ in range(4)]
    await processes[0].refresh(first.refresh_token, PHONE)
    await lobby.clock.advance(11)

    await asyncio.gather(*(refused(processes[number % 4], first.refresh_token) for number in range(20)))

    assert lobby.told == [("asha", first.session_id)]
    assert (await audited(lobby))[1:] == [("session.reuse", "asha", "refused")]


async def test_within_ten_seconds_another_client_ends_the_session(lobby: Lobby):
    """Security, IAM: the previous token within 10 s from the same client, nobody else."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))
    second = await lobby.sessions().refresh(first.refresh_token, PHONE)

    with pytest.raises(Refusal):
        await lobby.sessions().refresh(first.refresh_token, ELSEWHERE)

    await refused(lobby.sessions(), second.refresh_token)


async def test_a_token_before_the_previous_one_ends_the_session_at_once(lobby: Lobby):
    """Security, IAM: only the previous token may come again."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))
    sessions = lobby.sessions()
    second = await sessions.refresh(first.refresh_token, PHONE)
    third = await sessions.refresh(second.refresh_token, PHONE)

    await refused(sessions, first.refresh_token)

    await refused(sessions, third.refresh_token)


async def test_the_person_not_told_does_not_keep_the_session_open(lobby: Lobby, caplog):
    """Ours: a mail server that is away changes nothing about the refusal."""
    first = await lobby.opened(await lobby.person("asha", PATIENT))

    async def fail(account_id: str, session_id: str) -> None:
        raise OSError("no mail today")

    sessions = Sessions(lobby.process(), lobby.tokens, on_reuse=fail)
    second = await sessions.refresh(first.refresh_token, PHONE)
    await lobby.clock.advance(11)
    await refused(sessions, first.refresh_token)

    await refused(sessions, second.refresh_token)
    assert "could not be told" in caplog.text


LIVES = [(PATIENT, 7 * DAY, 30 * DAY), (CLINICIAN, HOUR / 2, 12 * HOUR), (ADMIN, HOUR / 2, 8 * HOUR)]


async def test_a_session_that_is_not_used_ends_as_its_role_says(lobby: Lobby):
    """Security, IAM: 7 d idle, staff 30 min."""
    sessions = lobby.sessions()
    for grant, idle, _ in LIVES:
        opened = await lobby.opened(await lobby.person(grant.role.value, grant))

        await lobby.clock.advance(idle - 1)
        again = await sessions.refresh(opened.refresh_token, PHONE)
        await lobby.clock.advance(idle)

        await refused(sessions, again.refresh_token)


async def test_a_session_that_is_used_ends_at_its_absolute_time(lobby: Lobby):
    """Security, IAM: 30 d absolute, staff 12 h, registry administrators 8 h."""
    sessions = lobby.sessions()
    for grant, idle, absolute in LIVES:
        ends_at = lobby.clock.now() + absolute
        opened = await lobby.opened(await lobby.person(grant.role.value, grant))

        last = await used_until(lobby, sessions, opened, ends_at - 1, idle)
        await lobby.clock.advance(1)

        assert opened.ends_at == ends_at
        await refused(sessions, last.refresh_token)


async def used_until(lobby: Lobby, sessions: Sessions, last: Opened, end: float, idle: float) -> Opened:
    while lobby.clock.now() < end:
        await lobby.clock.advance(min(idle - 1, end - lobby.clock.now()))
        last = await sessions.refresh(last.refresh_token, PHONE)
    return last


async def test_a_patient_who_becomes_staff_has_the_session_of_staff(lobby: Lobby):
    """Security, IAM: the strictest role decides, and roles are read anew."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT))
    await lobby.clock.advance(12 * HOUR)
    used = await lobby.sessions().refresh(opened.refresh_token, PHONE)
    await lobby.run("UPDATE account_grant SET role = 'finance', tenant = 'clinic.example'")

    await refused(lobby.sessions(), used.refresh_token)


async def test_a_role_that_was_taken_away_is_not_in_the_next_access_token(lobby: Lobby):
    """The issue: grants are read anew at each refresh."""
    opened = await lobby.opened(await lobby.person("asha", CLINICIAN, ADMIN))
    await lobby.run("DELETE FROM account_grant WHERE role = 'registry.admin'")

    refreshed = await lobby.sessions().refresh(opened.refresh_token, PHONE)

    assert opened.principal.grants == {CLINICIAN, ADMIN}
    assert refreshed.principal.grants == {CLINICIAN}


async def test_a_closed_account_refreshes_nothing(lobby: Lobby):
    """The issue: a closed account's sessions end."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT))
    await lobby.change("asha", state="CLOSED")

    await refused(lobby.sessions(), opened.refresh_token)


async def test_what_is_no_refresh_token_is_refused(lobby: Lobby):
    """Ours: whatever is sent, one refusal."""
    for token in ("", "x", "a" * 43, "ü\ud800", "\0", "a" * 100_000):
        await refused(lobby.sessions(), token)


async def test_a_copy_of_the_database_holds_no_token(lobby: Lobby):
    """Security, IAM: stored as SHA-256; a successor takes the token itself to make."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT))
    second = await lobby.sessions().refresh(opened.refresh_token, PHONE)

    rows = await lobby.rows("SELECT digest, salt FROM refresh_token ORDER BY created_at, salt IS NULL")

    for digest, _ in rows:
        await refused(lobby.sessions(), str(digest))
    assert opened.refresh_token not in str(rows)
    assert second.refresh_token not in str(rows)
