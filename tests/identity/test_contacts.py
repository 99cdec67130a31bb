"""E-mail address and telephone: changed only by whoever reads what was sent to the new one."""

from __future__ import annotations

import pytest

from tests.identity.house import ASHA, NOBODY_ACTING, OTHER, PASSWORD, PHONE, refused, themselves
from uhi.faults import CODE_INVALID, SIGN_IN_FAILED, TOO_MANY_TRIES
from uhi.identity.session_rows import Client

NEW = "asha.rao@patients.example"


async def test_address_changes_once_its_code_came_back_and_the_old_one_is_told(house):
    """Rules on IAM: e-mail verification."""
    account = await house.patient()
    opened = await house.parts.sessions.open(await house.sign_in(), client=Client())
    await house.parts.recovery.begin_reset(ASHA, address="")
    token = await house.token_sent(ASHA)
    await house.parts.contacts.begin_email(account.id, NEW, acting=themselves(account))
    assert (await house.accounts.get(account.id)).email == ASHA

    changed = await house.parts.contacts.confirm_email(
        account.id, await house.code_sent(NEW), acting=themselves(account)
    )

    assert (changed.email, changed.is_email_verified) == (NEW, True)
    assert "was changed" in (await house.newest(ASHA)).text
    assert await refused(lambda: house.sign_in(ASHA)) == SIGN_IN_FAILED.code
    assert await house.sign_in(NEW, PASSWORD)
    reset = await refused(lambda: house.parts.recovery.reset(token, OTHER, acting=NOBODY_ACTING))
    assert reset == CODE_INVALID.code
    assert await refused(lambda: house.parts.sessions.check_open(opened.session_id)) == "IAM_TOKEN_INVALID"


async def test_address_of_somebody_else_is_neither_taken_nor_told_of(house):
    """Rules on IAM: errors do not tell whether an account exists."""
    await house.patient(NEW)
    account = await house.patient()

    await house.parts.contacts.begin_email(account.id, NEW, acting=themselves(account))

    assert "You have one" in (await house.newest(NEW)).text
    guess = await refused(lambda: house.parts.contacts.confirm_email(account.id, "000000", acting=themselves(account)))
    assert guess == CODE_INVALID.code


async def test_code_sent_to_one_address_does_not_prove_another(house):
    """Ours: what is proven is what the code was sent to, whatever else was begun meanwhile."""
    account = await house.patient()
    await house.parts.contacts.begin_email(account.id, NEW, acting=themselves(account))
    code = await house.code_sent(NEW)
    await house.parts.contacts.begin_email(account.id, "victim@x.example", acting=themselves(account))

    ended = await refused(lambda: house.parts.contacts.confirm_email(account.id, code, acting=themselves(account)))

    assert ended == CODE_INVALID.code


async def test_telephone_is_verified_by_a_code(house):
    """Rules on IAM: phone verification; the number is kept in its one spelling."""
    account = await house.patient()

    verified = await house.phone(account, PHONE)

    assert (verified.phone, verified.is_phone_verified) == (PHONE, True)
    assert {"account.phone.begin", "account.phone"} <= set(await house.actions())


@pytest.mark.parametrize("given", ["", "12", "+0123456789", "98123456789012345678"])
async def test_what_is_no_number_is_refused(sqlite_house, given):
    """Ours: numbers are E.164."""
    account = await sqlite_house.patient()

    begin = sqlite_house.parts.contacts.begin_phone
    assert await refused(lambda: begin(account.id, given, acting=themselves(account))) == "API_REQUEST_INVALID"


async def test_nobody_is_flooded_from_one_account(sqlite_house):
    """Ours: texts cost money and patience; twenty in ten minutes are enough for anybody."""
    account = await sqlite_house.patient()
    begin = sqlite_house.parts.contacts.begin_phone

    ended = [
        await refused(lambda number=number: begin(account.id, f"+9198123456{number:02}", acting=themselves(account)))
        for number in range(21)
    ]

    assert ended == [""] * 20 + [TOO_MANY_TRIES.code]
