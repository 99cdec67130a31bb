"""Sessions: opened by a sign-in, carried by a cookie, confirmed by another sign-in, closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.identity.lobby import ADMIN, CLINICIAN, ELSEWHERE, PATIENT, PHONE, Lobby
from uhi.audit import Acting, ActorKind
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import ORIGIN_REFUSED, TOKEN_INVALID, Fault
from uhi.identity.account_rows import credentials_changed
from uhi.identity.session_rows import Client
from uhi.identity.sign_in import SignedIn

HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
async def lobby(database_url: str, tmp_path: Path) -> AsyncIterator[Lobby]:
    async with Lobby.open(database_url, tmp_path) as lobby:
        yield lobby


async def refused(answer, fault: Fault = TOKEN_INVALID) -> None:
    with pytest.raises(Refusal) as refusal:
        await answer
    assert refusal.value.fault is fault


async def test_an_app_gets_tokens_and_a_browser_a_cookie(lobby: Lobby):
    """The issue: access and refresh tokens, or browser sessions by cookie."""
    asha = await lobby.person("asha", CLINICIAN)

    app = await lobby.opened(asha, methods=("pwd", "otp"))
    browser = await lobby.opened(asha, methods=("pwd", "otp"), is_browser=True)

    assert [bool(each) for each in (app.access_token, app.refresh_token, app.cookie, app.csrf)] == [1, 1, 0, 0]
    assert [bool(each) for each in (browser.access_token, browser.refresh_token, browser.cookie)] == [0, 0, 1]
    assert lobby.tokens.read(app.access_token, now=lobby.clock.now()) == app.principal
    assert (app.principal.has_second_factor, app.principal.signed_in_at) == (True, lobby.clock.now())
    for secret in (app.access_token, app.refresh_token, browser.cookie, browser.csrf):
        assert secret not in repr((app, browser))


async def test_a_cookie_stands_for_what_its_person_may_do_now(lobby: Lobby):
    """The issue: roles are read anew, at each request of a browser."""
    opened = await lobby.opened(await lobby.person("asha", CLINICIAN, ADMIN), is_browser=True)

    before = await lobby.sessions().principal_of_cookie(opened.cookie)
    await lobby.run("DELETE FROM account_grant WHERE role = 'registry.admin'")
    after = await lobby.sessions().principal_of_cookie(opened.cookie)

    assert before.principal == opened.principal
    assert before.csrf == opened.csrf
    assert after.principal.grants == {CLINICIAN}


async def test_a_cookie_does_not_refresh_and_a_refresh_token_is_no_cookie(lobby: Lobby):
    """Ours: each opens its own door only."""
    asha = await lobby.person("asha", PATIENT)
    browser, app = await lobby.opened(asha, is_browser=True), await lobby.opened(asha)

    await refused(lobby.sessions().refresh(browser.cookie, PHONE))
    await refused(lobby.sessions().principal_of_cookie(app.refresh_token))


async def test_what_is_no_cookie_of_ours_is_refused(lobby: Lobby):
    """Ours: whatever a browser sends."""
    for cookie in ("", "x", "ü\ud800\0", "a" * 10_000):
        await refused(lobby.sessions().principal_of_cookie(cookie))


@pytest.mark.case("IAM-14")
async def test_only_the_csrf_token_of_the_same_session_is_taken(lobby: Lobby):
    """Security, IAM: CSRF token; another session's, another person's, none and nonsense are refused."""
    asha = await lobby.person("asha", PATIENT)
    one, other = await lobby.opened(asha, is_browser=True), await lobby.opened(asha, is_browser=True)
    sessions = lobby.sessions()

    browsing = await sessions.principal_of_cookie(one.cookie)

    browsing.check_csrf(one.csrf)

    for wrong in (other.csrf, "", one.csrf[:-1], "ü\ud800"):
        with pytest.raises(Refusal) as caught:
            browsing.check_csrf(wrong)
        assert caught.value.fault is ORIGIN_REFUSED
    await refused(sessions.principal_of_cookie("x"))


async def test_a_browser_that_is_used_stays_and_one_that_is_not_ends(lobby: Lobby):
    """Security, IAM: staff idle; the last use is kept, though not at each request."""
    opened = await lobby.opened(await lobby.person("asha", CLINICIAN), is_browser=True)
    sessions = lobby.sessions()
    for _ in range(3):
        await lobby.clock.advance(HOUR / 2 - 1)
        await sessions.principal_of_cookie(opened.cookie)
        await lobby.flush()

    await lobby.clock.advance(HOUR / 2)

    await refused(sessions.principal_of_cookie(opened.cookie))


async def test_a_closed_session_counts_nowhere(lobby: Lobby):
    """Security, IAM: logout revokes; audited, with who did it."""
    asha = await lobby.person("asha", PATIENT)
    app, browser = await lobby.opened(asha), await lobby.opened(asha, is_browser=True)
    sessions, desk = lobby.sessions(), Acting(actor="desk", kind=ActorKind.PERSON)

    await sessions.close(app.session_id)
    await sessions.close(browser.session_id, acting=desk)
    await sessions.close(browser.session_id)

    await refused(sessions.refresh(app.refresh_token, PHONE))
    await refused(sessions.principal_of_cookie(browser.cookie))
    await refused(sessions.check_open(app.session_id))
    closed = await lobby.rows("SELECT actor, object FROM audit WHERE action = 'session.close' ORDER BY seq")
    assert closed == [("asha", f"session {app.session_id}"), ("desk", f"session {browser.session_id}")]


async def test_of_all_sessions_of_a_person_one_may_be_kept(lobby: Lobby):
    """Security, IAM: a change of password ends the others; nobody else's end."""
    asha, ravi = await lobby.person("asha", PATIENT), await lobby.person("ravi", PATIENT)
    mine, kept, others = [await lobby.opened(who) for who in (asha, asha, ravi)]
    sessions = lobby.sessions()

    await sessions.close_all("asha", keep=kept.session_id)

    await refused(sessions.refresh(mine.refresh_token, PHONE))
    await sessions.refresh(kept.refresh_token, PHONE)
    await sessions.refresh(others.refresh_token, PHONE)


async def test_a_closing_counts_in_every_process_within_a_second(lobby: Lobby):
    """The issue: sensitive routes ask whether the session is open, and remember for a second at most."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT))
    here, there = lobby.sessions(), lobby.sessions()
    await there.check_open(opened.session_id)
    await here.check_open(opened.session_id)

    await here.close(opened.session_id)

    await refused(here.check_open(opened.session_id))
    await lobby.clock.advance(1)
    await refused(there.check_open(opened.session_id))


async def test_sessions_of_a_closed_account_are_not_open(lobby: Lobby):
    """The issue: a closed account's sessions end."""
    opened = await lobby.opened(await lobby.person("asha", PATIENT), is_browser=True)
    await lobby.change("asha", state="CLOSED")

    await refused(lobby.sessions().principal_of_cookie(opened.cookie))
    await refused(lobby.sessions().check_open(opened.session_id))
    assert await lobby.sessions().of_account("asha") == []


async def test_a_sign_in_with_a_password_that_was_changed_meanwhile_opens_nothing(lobby: Lobby):
    """Security, IAM: a change of password revokes all, also what is just about to begin."""
    asha = await lobby.person("asha", PATIENT)
    arrived = SignedIn(asha, ("pwd",), lobby.clock.now())
    await lobby.clock.advance(1)
    await lobby.database.write(lambda connection: credentials_changed(connection, "asha", at=lobby.clock.now()))

    await refused(lobby.sessions().open(arrived, client=PHONE))


def change_password(connection, at):
    credentials_changed(connection, "asha", at=at)
    desk = Acting(actor="desk", kind=ActorKind.PERSON)
    append(connection, desk.entry("account.password", "account asha", at=at))


async def test_no_session_of_another_process_outlives_the_password_it_was_opened_with(lobby: Lobby):
    """Security, IAM: a change of password revokes all, also what begins in the same moment."""
    asha, elsewhere = await lobby.person("asha", PATIENT), lobby.sessions()
    for _ in range(10):
        arrived = SignedIn(asha, ("pwd",), lobby.clock.now())
        await lobby.clock.advance(1)
        changing = lobby.database.write(partial(change_password, at=lobby.clock.now()))
        opening = elsewhere.open(arrived, client=PHONE)
        await asyncio.gather(changing, opening, return_exceptions=True)

        assert await elsewhere.of_account("asha") == []


async def test_another_sign_in_makes_the_session_fresh(lobby: Lobby):
    """Security, IAM: step-up; the browser gets another cookie, and the earlier one counts no more."""
    asha = await lobby.person("asha", ADMIN)
    opened = await lobby.opened(asha, is_browser=True)
    await lobby.clock.advance(600)
    sessions, arrived = lobby.sessions(), SignedIn(asha, ("pwd", "otp"), lobby.clock.now())

    confirmed = await sessions.confirm(opened.session_id, arrived)

    assert confirmed.session_id == opened.session_id
    assert confirmed.ends_at == opened.ends_at
    assert (await sessions.principal_of_cookie(confirmed.cookie)).principal == confirmed.principal
    assert confirmed.principal == replace(opened.principal, signed_in_at=arrived.at, has_second_factor=True)
    (await sessions.principal_of_cookie(confirmed.cookie)).check_csrf(confirmed.csrf)
    await refused(sessions.principal_of_cookie(opened.cookie))


async def test_an_app_confirmed_gets_an_access_token_that_says_so(lobby: Lobby):
    """Security, IAM: auth_time and amr of the latest sign-in; its refresh token stays."""
    asha = await lobby.person("asha", ADMIN)
    opened = await lobby.opened(asha)
    await lobby.clock.advance(600)

    confirmed = await lobby.sessions().confirm(opened.session_id, SignedIn(asha, ("pwd", "otp"), lobby.clock.now()))

    principal = lobby.tokens.read(confirmed.access_token, now=lobby.clock.now())
    assert (principal.signed_in_at, principal.has_second_factor) == (lobby.clock.now(), True)
    assert (await lobby.sessions().refresh(opened.refresh_token, PHONE)).principal == principal


async def test_nobody_else_confirms_a_session(lobby: Lobby):
    """Ours: a sign-in of one person says nothing about another's session."""
    opened = await lobby.opened(await lobby.person("asha", ADMIN))
    ravi = await lobby.person("ravi", ADMIN)

    await refused(lobby.sessions().confirm(opened.session_id, SignedIn(ravi, ("pwd", "otp"), lobby.clock.now())))


async def test_a_person_sees_their_open_sessions(lobby: Lobby):
    """Ours: to close what is not theirs, one has to see it: newest first, from where, since when."""
    asha = await lobby.person("asha", PATIENT)
    old, closed, new = [await lobby.opened(asha) for _ in range(3)]
    await lobby.opened(await lobby.person("ravi", PATIENT))
    await lobby.sessions().close(closed.session_id)
    await lobby.clock.advance(5)
    await lobby.sessions().refresh(old.refresh_token, ELSEWHERE)

    seen = await lobby.sessions().of_account("asha")

    assert [each.id for each in seen] == [new.session_id, old.session_id]
    assert [each.client for each in seen] == [PHONE, ELSEWHERE]
    assert seen[1].last_used_at == lobby.clock.now() == seen[1].created_at + 5


async def test_sessions_that_are_over_are_forgotten_with_their_tokens(lobby: Lobby):
    """Ours: nobody can use them, and they say from where somebody came."""
    asha, ravi = await lobby.person("asha", CLINICIAN), await lobby.person("ravi", PATIENT)
    over, lasting = await lobby.opened(asha), await lobby.opened(ravi)
    await lobby.sessions().refresh(over.refresh_token, PHONE)
    await lobby.clock.advance(12 * HOUR)

    gone = await lobby.sessions().forget()

    assert gone == 1
    assert await lobby.rows("SELECT id FROM session") == [(lasting.session_id,)]
    assert await lobby.rows("SELECT DISTINCT session_id FROM refresh_token") == [(lasting.session_id,)]


async def test_what_a_client_calls_itself_is_kept_short_and_printable(lobby: Lobby):
    """Ours: the header is anybody's text."""
    asha = await lobby.person("asha", PATIENT)
    strange = Client("203.0.113.7", "evil\0\n\x1b[31m\ud800" + "x" * 10_000)

    await lobby.sessions().open(SignedIn(asha, ("pwd",), lobby.clock.now()), client=strange)

    (seen,) = await lobby.sessions().of_account("asha")
    assert seen.client == strange
    assert seen.client.user_agent == "evil[31m" + "x" * 192


async def test_whoever_closes_an_account_refuses_its_tokens_at_once(lobby: Lobby):
    """Security, IAM: what was asked a moment ago is forgotten where the account was closed."""
    opened, here = await lobby.opened(await lobby.person("asha", PATIENT)), lobby.sessions()
    await here.check_open(opened.session_id)
    await lobby.change("asha", state="CLOSED")
    await here.check_open(opened.session_id)

    await here.close_all("asha")

    await refused(here.check_open(opened.session_id))
