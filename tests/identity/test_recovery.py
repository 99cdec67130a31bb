"""Passwords forgotten and changed: who learns what, what ends, and what a token is good for."""

from __future__ import annotations

import asyncio

import pytest

from tests.identity.house import ASHA, HERE, NOBODY_ACTING, OTHER, PASSWORD, refused, themselves
from uhi.faults import CODE_INVALID, NO_LETTERS, REQUEST_INVALID, SIGN_IN_FAILED, TOO_MANY_TRIES
from uhi.identity.joining import Application
from uhi.identity.recovery import PasswordChange
from uhi.identity.sending import KeptLetters
from uhi.identity.session_rows import Client

UNKNOWN = "nobody@patients.example"


async def test_new_password_is_chosen_with_the_token_from_the_letter(house):
    """Rules on IAM: password reset; every session ends, and the owner is told."""
    account = await house.patient()
    opened = await house.parts.sessions.open(await house.sign_in(), client=Client())
    house.clock.time += 1
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    token = await house.token_sent(ASHA)

    await house.parts.recovery.reset(token, OTHER, acting=NOBODY_ACTING)

    assert await refused(house.sign_in) == SIGN_IN_FAILED.code
    assert (await house.sign_in(ASHA, OTHER)).account.id == account.id
    assert await refused(lambda: house.parts.sessions.check_open(opened.session_id)) == "IAM_TOKEN_INVALID"
    assert "password for UHI was changed" in (await house.newest(ASHA)).text
    assert {"password.forgotten", "password.reset"} <= set(await house.actions())


async def test_asking_for_an_unknown_address_is_answered_alike_and_writes_to_nobody(house):
    """Rules on IAM: the same answer, and the rest is done in the background so that time tells nothing."""
    account = await house.patient()
    await house.accounts.close(account.id, acting=themselves(account))
    await house.parts.notices.done()
    before = len(house.letters.letters)

    answers = [await house.parts.recovery.begin_reset(email, address=HERE) for email in (UNKNOWN, ASHA)]
    await house.parts.notices.done()

    assert answers == [None, None]
    assert len(house.letters.letters) == before


async def test_where_no_letter_leaves_nobody_is_told_to_wait_for_one(house):
    """Rules on IAM: no dead end, and the same answer for every address."""
    account, wanted = await house.patient(), {"password": PASSWORD, "name": "Asha"}
    house.parts.notices.sender = KeptLetters()

    ended = [
        await refused(lambda email=email, ask=ask: ask(email))
        for email in (ASHA, UNKNOWN)
        for ask in (
            lambda email: house.parts.recovery.begin_reset(email, address=HERE),
            lambda email: house.parts.joining.register(Application(email=email, **wanted), address=HERE),
            lambda email: house.parts.contacts.begin_email(account.id, email, acting=themselves(account)),
        )
    ]

    assert ended == [NO_LETTERS.code] * 6


async def test_fourth_letter_in_ten_minutes_is_refused_whether_the_account_exists_or_not(house):
    """Rules on IAM: nobody is flooded with letters, and the limit tells nothing."""
    await house.patient()

    for email in (ASHA, UNKNOWN):
        ended = [
            await refused(lambda email=email: house.parts.recovery.begin_reset(email, address="")) for _ in range(4)
        ]
        assert ended == ["", "", "", TOO_MANY_TRIES.code]


@pytest.mark.parametrize("spoil", ["late", "used", "newer", "other"])
async def test_token_is_good_once_and_for_thirty_minutes_and_only_the_newest(house, spoil):
    """Rules on IAM: hashed, 30 minutes, single use."""
    await house.patient()
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    token = await house.token_sent(ASHA)
    if spoil == "late":
        house.clock.time += 1_800
    elif spoil == "used":
        await house.parts.recovery.reset(token, OTHER, acting=NOBODY_ACTING)
    elif spoil == "newer":
        await house.parts.recovery.begin_reset(ASHA, address=HERE)
        await house.parts.notices.done()
    else:
        token = token[::-1]

    ended = await refused(lambda: house.parts.recovery.reset(token, "nine small wooden boats", acting=NOBODY_ACTING))

    assert ended == CODE_INVALID.code


async def test_token_used_twice_at_the_same_moment_is_used_once(house):
    """Rules on IAM: single use, in a race too."""
    await house.patient()
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    token = await house.token_sent(ASHA)

    tries = [refused(lambda: house.parts.recovery.reset(token, OTHER, acting=NOBODY_ACTING)) for _ in range(5)]

    assert sorted(await asyncio.gather(*tries)) == ["", *[CODE_INVALID.code] * 4]


async def test_weak_password_leaves_the_token_as_it_was(house):
    """Ours: a mistake in a form does not cost another letter."""
    await house.patient()
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    token = await house.token_sent(ASHA)

    weak = await refused(lambda: house.parts.recovery.reset(token, "short", acting=NOBODY_ACTING))

    assert weak == REQUEST_INVALID.code
    assert await house.parts.recovery.reset(token, OTHER, acting=NOBODY_ACTING)


async def test_password_reset_does_not_remove_the_second_factor(house):
    """Ours: who can read the mailbox has one factor, not two."""
    await house.totp(await house.patient())
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    await house.parts.recovery.reset(await house.token_sent(ASHA), OTHER, acting=NOBODY_ACTING)

    needed = await house.sign_in(ASHA, OTHER)

    assert needed.ways == ("otp", "rc")


async def test_password_is_changed_with_the_old_one_and_only_this_session_goes_on(house):
    """Rules on IAM: a change of the password revokes all sessions; the one that made it stays."""
    account = await house.patient()
    one, two = [await house.parts.sessions.open(await house.sign_in(), client=Client()) for _ in range(2)]
    change = PasswordChange(account_id=account.id, old=PASSWORD, new=OTHER, keep_session=one.session_id)
    wrong = PasswordChange(account_id=account.id, old=OTHER, new=OTHER)

    failed = await refused(lambda: house.parts.recovery.change_password(wrong, acting=themselves(account)))
    await house.parts.recovery.change_password(change, acting=themselves(account))

    assert failed == SIGN_IN_FAILED.code
    assert await refused(lambda: house.parts.sessions.check_open(one.session_id)) == ""
    assert await refused(lambda: house.parts.sessions.check_open(two.session_id)) == "IAM_TOKEN_INVALID"
    assert "password.change" in await house.actions()


async def test_old_password_is_not_guessed_through_the_change(house):
    """Rules on login: throttled, by whatever way a password is tried."""
    account = await house.patient()
    wrong = PasswordChange(account_id=account.id, old=OTHER, new=OTHER)

    ended = [
        await refused(lambda: house.parts.recovery.change_password(wrong, acting=themselves(account)))
        for _ in range(11)
    ]

    assert ended[-2:] == [SIGN_IN_FAILED.code, TOO_MANY_TRIES.code]
    assert await refused(house.sign_in) == TOO_MANY_TRIES.code


async def test_what_is_over_is_forgotten_and_what_counts_is_kept(house):
    """Ours: a day after its end a row goes; the counts of tries a few days after the last one."""
    await house.patient()
    await house.parts.recovery.begin_reset(ASHA, address=HERE)
    await house.parts.notices.done()
    house.clock.time += 3_600
    early = await house.parts.tidy()
    house.clock.time += 4 * 86_400

    late = await house.parts.tidy()

    assert early == 0
    assert late >= 3
    assert await house.sign_in()
