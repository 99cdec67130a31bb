"""One-time codes: their life, tries, sends and purpose; and what any order of tries can reach."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identity.house import PHONE, refused
from uhi.errors import Refusal
from uhi.faults import CODE_INVALID, TOO_MANY_TRIES
from uhi.identity.one_time_codes import CodePurpose

WRONG = "wrong"
WHO = "account 1"
NUMBERS = count()


@pytest.fixture
def codes(house):
    """The codes of a house."""
    return house.parts.codes


async def test_code_has_six_digits_and_is_good_once(codes):
    """Rules on one-time codes: six digits, single use."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)

    await codes.use(CodePurpose.PHONE, WHO, code)

    assert len(code) == 6
    assert code.isdecimal()
    assert await refused(lambda: codes.use(CodePurpose.PHONE, WHO, code)) == CODE_INVALID.code


async def test_code_is_over_after_five_minutes(house, codes):
    """Rules on one-time codes: 5 minutes."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)
    house.clock.time += 300

    assert await refused(lambda: codes.use(CodePurpose.PHONE, WHO, code)) == CODE_INVALID.code


async def test_right_code_is_refused_after_five_wrong_ones(codes):
    """Rules on one-time codes: 5 tries."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)
    for _ in range(5):
        assert await refused(lambda: codes.use(CodePurpose.PHONE, WHO, WRONG)) == CODE_INVALID.code

    assert await refused(lambda: codes.use(CodePurpose.PHONE, WHO, code)) == CODE_INVALID.code


async def test_tries_made_at_the_same_moment_are_counted_each(codes):
    """Rules on one-time codes: 5 tries, however they come."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)
    wrong = [refused(lambda: codes.use(CodePurpose.PHONE, WHO, WRONG)) for _ in range(20)]
    await asyncio.gather(*wrong)

    assert await refused(lambda: codes.use(CodePurpose.PHONE, WHO, code)) == CODE_INVALID.code


async def test_code_taken_twice_at_the_same_moment_is_taken_once(codes):
    """Rules on one-time codes: single use, in a race too."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)

    ended = await asyncio.gather(*[refused(lambda: codes.use(CodePurpose.PHONE, WHO, code)) for _ in range(10)])

    assert sorted(ended) == ["", *[CODE_INVALID.code] * 9]


async def test_fourth_send_in_ten_minutes_is_refused_until_they_are_over(house, codes):
    """Rules on one-time codes: 3 sends in 10 minutes to one number, whoever asks."""
    for number in range(3):
        await codes.make(CodePurpose.PHONE, f"account {number}", target=PHONE)
    house.clock.time += 60

    with pytest.raises(Refusal) as fourth:
        await codes.make(CodePurpose.PHONE, WHO, target=PHONE)
    house.clock.time += 540

    assert (fourth.value.fault, fourth.value.retry_after) == (TOO_MANY_TRIES, 540)
    assert await codes.make(CodePurpose.PHONE, WHO, target=PHONE)


async def test_codes_a_stranger_has_sent_to_a_number_keep_nobody_from_signing_in(codes):
    """Ours: the sends of each purpose are counted by themselves; only who has the password asks for a sign-in's."""
    for number in range(3):
        await codes.make(CodePurpose.PHONE, f"stranger {number}", target=PHONE)

    assert await codes.make(CodePurpose.SIGN_IN, WHO, target=PHONE)


@pytest.mark.parametrize(("purpose", "bound_to"), [(CodePurpose.SIGN_IN, WHO), (CodePurpose.PHONE, "account 2")])
async def test_code_is_nothing_for_another_purpose_or_session(codes, purpose, bound_to):
    """Rules on one-time codes: bound to the session."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)

    assert await refused(lambda: codes.use(purpose, bound_to, code)) == CODE_INVALID.code


async def test_code_is_not_kept_in_clear(house, codes):
    """Rules on one-time codes: stored as HMAC."""
    code = await codes.make(CodePurpose.PHONE, WHO, target=PHONE)
    keyed = await house.parts.store.keyed()

    dump = await house.dump()

    assert f"'{code}'".encode() not in dump
    assert keyed.key.hex().encode() not in dump
    assert repr(keyed) == "Keyed()"


STEPS = st.lists(st.sampled_from(["make", "right", "wrong", "wait", "earlier"]), max_size=25)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_only_the_newest_code_opens_and_only_within_its_tries_and_time(sqlite_house, steps):
    """Rules on one-time codes, as a model: whatever is tried in whatever order, the same five rules decide."""
    codes, clock, bound = sqlite_house.parts.codes, sqlite_house.clock, f"somebody {next(NUMBERS)}"
    live, earlier, made_at, tries = "", "", 0.0, 0
    for number, step in enumerate(steps):
        if step == "make":
            earlier = live or earlier
            live, made_at, tries = await codes.make(CodePurpose.PHONE, bound, target=f"{bound}{number}"), clock.time, 0
        elif step == "wait":
            clock.time += 100
        else:
            given = {"right": live or WRONG, "wrong": WRONG, "earlier": earlier or WRONG}[step]
            is_open = bool(live) and clock.time < made_at + 300 and tries < 5
            ended = await refused(lambda given=given: codes.use(CodePurpose.PHONE, bound, given))
            assert (ended == "") is (is_open and given == live)
            tries += 1
            live = "" if ended == "" else live
