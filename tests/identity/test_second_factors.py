"""Second factors: set up, checked, reused, guessed at, lost."""

from __future__ import annotations

import asyncio
import base64

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.identity.house import ASHA, HERE, OPERATOR, PHONE, House, principal, refused, themselves
from uhi.errors import Refusal
from uhi.faults import (
    ACCESS_DENIED,
    ANOTHER_PERSON_REQUIRED,
    CODE_INVALID,
    SIGN_IN_FAILED,
    STATE_REFUSED,
    TOO_MANY_TRIES,
)
from uhi.identity.people import needs_second_factor
from uhi.identity.roles import AccessRole
from uhi.identity.session_rows import Client
from uhi.identity.totp import new_secret, step_of


async def finish(house, way, code):
    """A second step after a right password; the name of its fault, empty for none."""
    needed = await house.sign_in()
    return await refused(lambda: house.parts.sign_in.finish(needed.challenge, way, code, address=HERE))


@pytest.mark.case("IAM-07")
async def test_code_of_an_app_signs_in_once(house):
    """Rules on TOTP: the last accepted step is stored, and what is not after it is refused."""
    app, _ = await house.totp(await house.patient())
    code = house.code_of(app)

    first, again = await finish(house, "otp", code), await finish(house, "otp", code)
    earlier = await finish(house, "otp", house.code_of(app, -1))

    assert (first, again, earlier) == ("", SIGN_IN_FAILED.code, SIGN_IN_FAILED.code)


@pytest.mark.case("IAM-07")
async def test_code_given_twice_at_the_same_moment_signs_in_once(house):
    """Rules on TOTP: a step is accepted once, in a race too, whichever sign-in it is for."""
    app, _ = await house.totp(await house.patient())
    challenges = [(await house.sign_in()).challenge for _ in range(3)]

    def give(challenge):
        return house.parts.sign_in.finish(challenge, "otp", house.code_of(app), address=HERE)

    ended = await asyncio.gather(*[refused(lambda each=each: give(each)) for each in challenges])

    assert sorted(ended) == ["", SIGN_IN_FAILED.code, SIGN_IN_FAILED.code]


@pytest.mark.case("IAM-07")
@pytest.mark.parametrize(
    ("steps", "ended"), [(-2, SIGN_IN_FAILED.code), (-1, ""), (0, ""), (1, ""), (2, SIGN_IN_FAILED.code)]
)
async def test_code_may_be_one_step_off(sqlite_house, steps, ended):
    """Rules on TOTP: window ±1 step."""
    app, _ = await sqlite_house.totp(await sqlite_house.patient())
    sqlite_house.clock.time += 60

    assert await finish(sqlite_house, "otp", sqlite_house.code_of(app, steps)) == ended


@pytest.mark.case("IAM-07")
async def test_sixth_try_in_fifteen_minutes_waits_and_each_time_longer(house):
    """Rules on TOTP: 5 failures in 15 minutes, then 429 with a growing lockout; the right code waits too."""
    app, _ = await house.totp(await house.patient())
    needed, waits = await house.sign_in(), []
    for _ in range(3):
        for _ in range(5):
            assert await finish(house, "otp", "000000") == SIGN_IN_FAILED.code
        needed = await house.sign_in()
        with pytest.raises(Refusal) as sixth:
            await house.parts.sign_in.finish(needed.challenge, "otp", house.code_of(app), address=HERE)
        assert sixth.value.fault is TOO_MANY_TRIES
        waits.append(sixth.value.retry_after)
        house.clock.time += sixth.value.retry_after

    assert waits == [900, 1800, 3600]
    assert await finish(house, "otp", house.code_of(app)) == ""


@pytest.mark.case("IAM-07")
async def test_hundred_failures_in_a_row_lock_until_an_administrator_unlocks(sqlite_house):
    """Rules on TOTP: a hard lock at 100 consecutive failures."""
    house, account = sqlite_house, await sqlite_house.patient()
    app, _ = await house.totp(account)
    needed, ended = await house.sign_in(), set()
    for _ in range(100):
        ended.add(await refused(lambda: house.parts.second_factors.check(account, "otp", "000000", bound_to="")))
        house.clock.time += 86_400
    assert ended == {SIGN_IN_FAILED.code}

    with pytest.raises(Refusal) as locked:
        await house.parts.second_factors.check(account, "otp", house.code_of(app), bound_to=needed.challenge)
    await house.parts.second_factors.unlock(account.id, acting=OPERATOR)

    assert (locked.value.fault, locked.value.retry_after) == (TOO_MANY_TRIES, None)
    assert await finish(house, "otp", house.code_of(app)) == ""


async def test_only_an_administrator_of_theirs_unlocks(house):
    """Table of roles: staff is managed by its own administrator, and by nobody for themselves."""
    admin = await house.member("head@city.example", AccessRole.HOSPITAL_ADMIN)
    account, factors = await house.patient(), house.parts.second_factors

    own = await refused(lambda: factors.unlock(account.id, acting=themselves(account)))
    other = await refused(lambda: factors.unlock(admin.id, acting=themselves(account), by=principal(account)))
    foreign = await refused(lambda: factors.unlock(account.id, acting=themselves(admin), by=principal(admin)))

    assert (own, other, foreign) == (ANOTHER_PERSON_REQUIRED.code, ACCESS_DENIED.code, "API_RECORD_MISSING")


async def test_new_secret_counts_only_once_it_is_confirmed_and_ends_other_sessions(house):
    """Rules on IAM: a change of factors revokes all sessions."""
    account = await house.patient()
    opened = await house.parts.sessions.open(await house.sign_in(), client=Client())
    enrolment = await house.parts.second_factors.begin_totp(account.id, acting=themselves(account))
    assert (await house.accounts.get(account.id)).second_factors == frozenset()
    wrong = await refused(
        lambda: house.parts.second_factors.confirm_totp(account.id, "000000", acting=themselves(account))
    )

    app, codes = await house.totp(account)

    assert wrong == CODE_INVALID.code
    assert app.secret != enrolment.secret
    assert len(set(codes)) == 10
    assert repr(enrolment) == "TotpEnrolment(***)"
    assert (await house.accounts.get(account.id)).second_factors == {"otp"}
    assert await refused(lambda: house.parts.sessions.check_open(opened.session_id)) == "IAM_TOKEN_INVALID"


async def test_code_by_text_message_signs_in_when_it_is_this_sign_ins(house):
    """Rules on one-time codes: bound to the session."""
    account = await house.phone(await house.patient())
    await house.parts.second_factors.begin_sms(account.id, acting=themselves(account))
    await house.parts.second_factors.confirm_sms(account.id, await house.code_sent(PHONE), acting=themselves(account))
    other, needed = await house.sign_in(), await house.sign_in()
    await house.parts.sign_in.send_code(needed.challenge)
    code = await house.code_sent(PHONE)

    foreign = await refused(lambda: house.parts.sign_in.finish(other.challenge, "sms", code, address=HERE))
    signed_in = await house.parts.sign_in.finish(needed.challenge, "sms", code, address=HERE)

    assert needed.ways == ("sms", "rc")
    assert foreign == SIGN_IN_FAILED.code
    assert signed_in.methods == ("pwd", "sms")


async def test_text_messages_are_not_offered_where_none_are_sent(sqlite_url, token_folder):
    """Ours: a way that leads nowhere is no way; the recovery codes are left."""
    async with House.open(sqlite_url, token_folder) as house:
        account = await house.phone(await house.patient())
        await house.parts.second_factors.begin_sms(account.id, acting=themselves(account))
        code = await house.code_sent(PHONE)
        await house.parts.second_factors.confirm_sms(account.id, code, acting=themselves(account))
    async with House.open(sqlite_url, token_folder, has_sms=False) as house:
        needed = await house.sign_in()

        begun = await refused(lambda: house.parts.second_factors.begin_sms(account.id, acting=themselves(account)))
        sent = await refused(lambda: house.parts.sign_in.send_code(needed.challenge))

    assert (needed.ways, begun, sent) == (("rc",), STATE_REFUSED.code, STATE_REFUSED.code)


async def test_telephone_that_is_not_verified_is_no_factor(house):
    """Ours: a factor is something that was shown to be theirs."""
    account = await house.patient()

    assert await refused(lambda: house.parts.second_factors.begin_sms(account.id, acting=themselves(account))) == (
        STATE_REFUSED.code
    )


async def test_each_recovery_code_signs_in_once(house):
    """Rules on recovery: 10 codes, argon2id, single use."""
    account = await house.patient()
    _, codes = await house.totp(account)

    ended = [await finish(house, "rc", code) for code in (codes[0], codes[0], codes[1].upper(), "abcd-efgh")]
    renewed = await house.parts.second_factors.new_recovery_codes(account.id, acting=themselves(account))

    assert ended == ["", SIGN_IN_FAILED.code, "", SIGN_IN_FAILED.code]
    assert await finish(house, "rc", codes[2]) == SIGN_IN_FAILED.code
    assert await finish(house, "rc", renewed[0]) == ""
    assert b"$argon2id$" in await house.dump()


async def test_recovery_codes_are_not_made_again_and_again(sqlite_house):
    """Ours: ten cost ten password hashes, so one person would keep everybody from signing in."""
    account = await sqlite_house.patient()
    await sqlite_house.totp(account)
    make = sqlite_house.parts.second_factors.new_recovery_codes

    ended = [await refused(lambda: make(account.id, acting=themselves(account))) for _ in range(5)]

    assert ended == [""] * 4 + [TOO_MANY_TRIES.code]


async def test_last_factor_takes_the_recovery_codes_with_it(house):
    """Ours: what stands in for a factor ends with it."""
    account = await house.patient()
    _, _codes = await house.totp(account)

    await house.parts.second_factors.remove(account.id, "otp", acting=themselves(account))

    assert (await house.sign_in()).methods == ("pwd",)
    again = await refused(lambda: house.parts.second_factors.remove(account.id, "otp", acting=themselves(account)))
    none = await refused(lambda: house.parts.second_factors.new_recovery_codes(account.id, acting=themselves(account)))
    assert (again, none) == ("API_RECORD_MISSING", STATE_REFUSED.code)


async def test_staff_need_a_second_factor_and_patients_do_not(house):
    """Rules on IAM: staff and admins, two factors."""
    assert needs_second_factor(await house.member("ravi@city.example"))
    assert not needs_second_factor(await house.patient(ASHA))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(-3, 3)), max_size=30))
def test_no_step_is_accepted_twice_nor_one_before_it(tries):
    """Rules on TOTP, as a model: whatever codes come at whatever times, accepted steps only grow."""
    secret, last, now, accepted = new_secret(), -1, 1_790_000_000, []
    app = pyotp.TOTP(base64.b32encode(secret).decode())
    for seconds, off in tries:
        now += seconds
        step = step_of(secret, app.at(now + 30 * off), now=now, after=last)
        assert (step is not None) is (abs(off) <= 1 and now // 30 + off > last)
        if step is not None:
            last = step
            accepted.append(step)

    assert accepted == sorted(set(accepted))
