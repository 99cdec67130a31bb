"""Signing in: nobody learns whether an account exists, and nobody may try for long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tests.identity.house import ASHA, HERE, OTHER, PASSWORD, House, refused, themselves
from uhi.errors import Refusal
from uhi.faults import SIGN_IN_FAILED, TOO_MANY_TRIES
from uhi.identity.passwords import PasswordCost, Passwords
from uhi.identity.recovery import PasswordChange
from uhi.identity.sign_in import SecondFactorNeeded, SignedIn

UNKNOWN = "nobody@patients.example"


async def count_checks(house: House, monkeypatch, email: str) -> tuple[int, int]:
    """How many hashes were checked, and how many made, for one wrong password."""
    hasher = house.parts.sign_in._passwords._hasher
    seen = {"verify": 0, "hash": 0}

    class Counting:
        def __getattr__(self, name):
            if name in seen:
                seen[name] += 1
            return getattr(hasher, name)

    monkeypatch.setattr(house.parts.sign_in._passwords, "_hasher", Counting())
    assert await refused(lambda: house.sign_in(email, OTHER)) == SIGN_IN_FAILED.code
    monkeypatch.undo()
    return seen["verify"], seen["hash"]


@pytest.mark.case("IAM-08")
async def test_unknown_and_known_people_cost_the_same_work_and_get_the_same_answer(house, monkeypatch):
    """Rules on login: same error and same cost for unknown users: one argon2 each, told without a stopwatch."""
    await house.patient()
    await house.member("ravi@city.example")
    invited_too = "ravi@city.example"
    await house.sign_in()

    work = {
        email: await count_checks(house, monkeypatch, email)
        for email in (ASHA, UNKNOWN, invited_too, "no address at all")
        if await settled(house)
    }
    with pytest.raises(Refusal) as known:
        await house.sign_in(ASHA, OTHER)
    with pytest.raises(Refusal) as unknown:
        await house.sign_in(UNKNOWN, OTHER)

    assert set(work.values()) == {(1, 0)}
    assert str(known.value) == str(unknown.value)


async def settled(house: House) -> bool:
    """The decoy is made by the first sign-in to an unknown account, and kept."""
    await refused(lambda: house.sign_in("first@x.example", OTHER))
    return True


@pytest.mark.case("IAM-08")
@pytest.mark.parametrize("email", [ASHA, UNKNOWN])
async def test_twenty_wrong_passwords_are_throttled_whether_the_account_exists_or_not(house, email):
    """Rules on login: throttled per account and address; the right password waits too, and in the end it opens."""
    await house.patient()

    ended = [await refused(lambda: house.sign_in(email, OTHER)) for _ in range(20)]
    with pytest.raises(Refusal) as throttled:
        await house.sign_in(email, PASSWORD)
    house.clock.time += throttled.value.retry_after

    assert ended == [SIGN_IN_FAILED.code] * 10 + [TOO_MANY_TRIES.code] * 10
    assert throttled.value.retry_after == 60
    assert (await refused(lambda: house.sign_in(email, PASSWORD))) == ("" if email == ASHA else SIGN_IN_FAILED.code)


@pytest.mark.case("IAM-08")
async def test_passwords_tried_at_the_same_moment_are_counted_before_they_are_checked(house):
    """Rules on login: many tries at once are not more tries."""
    await house.patient()

    ended = await asyncio.gather(*[refused(lambda: house.sign_in(ASHA, OTHER)) for _ in range(30)])

    assert sorted(ended) == sorted([SIGN_IN_FAILED.code] * 10 + [TOO_MANY_TRIES.code] * 20)


@pytest.mark.parametrize("has_factor", [False, True])
async def test_old_password_opens_nothing_when_it_is_changed_while_it_is_checked(house, monkeypatch, has_factor):
    """Rules on login: checking takes a while; neither is a sign-in begun with it, nor is its hash written back."""
    account = await house.patient()
    if has_factor:
        await house.totp(account)
    checked = Passwords(PasswordCost(memory_kib=16, passes=1, lanes=1))
    change = PasswordChange(account_id=account.id, old=PASSWORD, new=OTHER)

    async def check(password: str, kept: str | None) -> str | None:
        better = await checked.check(password, kept)
        await house.parts.recovery.change_password(change, acting=themselves(account))
        return better

    with monkeypatch.context() as patched:
        patched.setattr(house.parts.sign_in, "_passwords", SimpleNamespace(check=check))
        late = await refused(house.sign_in)

    assert late == SIGN_IN_FAILED.code
    assert await refused(house.sign_in) == SIGN_IN_FAILED.code
    assert await house.sign_in(password=OTHER)


async def test_who_guesses_a_password_keeps_the_owner_out_nowhere_else(house):
    """Rules on login: throttled per account and address, so that knowing an address is not enough to lock it."""
    await house.patient()

    for _ in range(60):
        await refused(lambda: house.parts.sign_in.begin(ASHA, OTHER, address="198.51.100.66"))

    assert await house.sign_in()


async def test_guesses_from_many_addresses_are_counted_together(house):
    """Rules on login: one account, many addresses: after 50 it waits too, wherever the next one comes from."""
    await house.patient()

    for number in range(50):
        await refused(lambda number=number: house.parts.sign_in.begin(ASHA, OTHER, address=f"198.51.100.{number}"))

    assert await refused(house.sign_in) == TOO_MANY_TRIES.code


async def test_numbers_of_one_ipv6_network_are_one_address(sqlite_house):
    """Rules on login: whoever has one number of a /64 has all of them."""

    async def guess(number: int) -> str:
        address = f"2001:db8:1:2::{number:x}"
        return await refused(lambda: sqlite_house.parts.sign_in.begin(f"p{number}@x.example", OTHER, address=address))

    ended = [await guess(number) for number in range(52)]

    assert ended[-3:] == [SIGN_IN_FAILED.code, TOO_MANY_TRIES.code, TOO_MANY_TRIES.code]


async def test_one_address_may_not_try_many_accounts(sqlite_house):
    """Rules on login: throttled per address too, and a success of its own does not clear it."""
    await sqlite_house.patient()
    for number in range(50):
        await refused(lambda number=number: sqlite_house.sign_in(f"p{number}@x.example", OTHER))
        if number == 48:
            await sqlite_house.sign_in()

    assert await refused(sqlite_house.sign_in) == TOO_MANY_TRIES.code


async def test_throttle_outlives_the_process(house):
    """Ours: what counts is in the database, so a restart forgets nothing."""
    await house.patient()
    for _ in range(10):
        await refused(lambda: house.sign_in(ASHA, OTHER))
    house.parts.store._keyed = None

    assert await refused(house.sign_in) == TOO_MANY_TRIES.code


async def test_right_password_signs_in_and_both_ends_are_on_record(house):
    """Issue: who did what, from where, with what outcome."""
    account = await house.patient()
    await refused(lambda: house.sign_in(ASHA, OTHER))

    signed_in = await house.sign_in(" ASHA@Patients.example")

    assert signed_in == SignedIn(account, ("pwd",), house.clock.time)
    assert (await house.actions())[-2:] == ["sign-in", "sign-in"]


async def test_old_hash_is_replaced_when_its_owner_signs_in(house):
    """Rules on passwords: rehash on sign-in when parameters change."""
    account = await house.patient()
    rows = await house.accounts.rows()
    house.parts.sign_in._passwords = Passwords(PasswordCost(memory_kib=16, passes=1, lanes=1))

    await house.sign_in()

    kept = await house.database.read(lambda connection: rows.credentials(connection, account.id))
    assert "m=16," in kept.password
    assert await house.sign_in()


async def test_password_alone_is_not_enough_where_there_is_a_second_factor(house):
    """Rules on IAM: the challenge is a secret of ten minutes, and opens nothing by itself."""
    account = await house.patient()
    app, _ = await house.totp(account)
    needed = await house.sign_in()
    house.clock.time += 600

    late = await refused(lambda: house.parts.sign_in.finish(needed.challenge, "otp", house.code_of(app), address=HERE))
    again = await house.sign_in()
    signed_in = await house.parts.sign_in.finish(again.challenge, "otp", house.code_of(app), address=HERE)

    assert isinstance(needed, SecondFactorNeeded)
    assert needed.challenge not in repr(needed)
    assert (needed.ways, late) == (("otp", "rc"), SIGN_IN_FAILED.code)
    assert signed_in.methods == ("pwd", "otp")
    used = await refused(lambda: house.parts.sign_in.finish(again.challenge, "otp", "000000", address=HERE))
    assert used == SIGN_IN_FAILED.code


async def test_challenge_of_an_old_password_is_over_when_the_password_changes(house):
    """Rules on IAM: a change of the password ends what it began."""
    account = await house.patient()
    app, _ = await house.totp(account)
    needed = await house.sign_in()
    change = PasswordChange(account_id=account.id, old=PASSWORD, new=OTHER)
    await house.parts.recovery.change_password(change, acting=themselves(account))

    ended = await refused(lambda: house.parts.sign_in.finish(needed.challenge, "otp", house.code_of(app), address=HERE))

    assert ended == SIGN_IN_FAILED.code
