"""How people come to have an account, and what nobody learns or takes on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.identity.house import ASHA, CITY, NOBODY_ACTING, OPERATOR, PASSWORD, STAFF, principal, themselves
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, ALREADY_TAKEN, CODE_INVALID, REQUEST_INVALID, TOO_MANY_TRIES
from uhi.identity.joining import Application, Invitation
from uhi.identity.people import AccountState
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

APPLICATION = Application(email="Asha@Patients.Example ", password=PASSWORD, name="Asha  Rao", phone="98123 45678")


async def test_patient_registers_with_the_code_from_their_letter(house):
    """Rules on IAM: e-mail verification; the spelling of addresses and numbers is one."""
    ticket = await house.parts.joining.register(APPLICATION, address="")

    account = await house.parts.joining.confirm(ticket, await house.code_sent(ASHA), acting=NOBODY_ACTING)

    assert (account.email, account.phone, account.name) == (ASHA, "+919812345678", "Asha Rao")
    assert account.is_email_verified
    assert account.grants == {Grant(AccessRole.PATIENT, "patients")}
    assert account.patient_id == account.id
    assert await house.accounts.get(account.id) == account
    assert "account.register" in await house.actions()


async def test_registering_a_known_address_is_answered_alike_and_tells_only_its_owner(house):
    """Rules on IAM: errors do not tell whether an account exists."""
    await house.patient()
    ticket = await house.parts.joining.register(APPLICATION, address="")

    letter = await house.newest(ASHA)

    assert len(ticket) == 43
    assert "You have one" in letter.text
    with pytest.raises(Refusal) as wrong:
        await house.parts.joining.confirm(ticket, "000000", acting=NOBODY_ACTING)
    assert wrong.value.fault is CODE_INVALID


async def test_address_taken_between_register_and_confirm_is_refused_like_a_wrong_code(house):
    """Rules on IAM: errors do not tell whether an account exists."""
    first = await house.parts.joining.register(APPLICATION, address="")
    code = await house.code_sent(ASHA)
    await house.patient()

    with pytest.raises(Refusal) as taken:
        await house.parts.joining.confirm(first, code, acting=NOBODY_ACTING)

    assert taken.value.fault is CODE_INVALID


async def test_registering_again_and_again_from_one_address_is_slowed_down(sqlite_house):
    """Rules on IAM: three sends in ten minutes to one address, and a limit to what one peer may ask for."""
    tries = [Application(email=f"p{n}@x.example", password=PASSWORD, name="P") for n in range(21)]
    for each in tries[:-1]:
        await sqlite_house.parts.joining.register(each, address="198.51.100.1")

    with pytest.raises(Refusal) as slowed:
        await sqlite_house.parts.joining.register(tries[-1], address="198.51.100.1")

    assert slowed.value.fault is TOO_MANY_TRIES
    assert slowed.value.retry_after == 600


@pytest.mark.parametrize(
    "wrong", [{"email": "asha"}, {"email": "a@b@c.example"}, {"name": "\x07"}, {"phone": "12"}, {"password": "short"}]
)
async def test_what_cannot_be_used_is_refused_with_its_field(sqlite_house, wrong):
    """Ours: a form shows the mistake where it is."""
    given = {"email": ASHA, "name": "Asha", "password": PASSWORD} | wrong

    with pytest.raises(Refusal) as refused:
        await sqlite_house.parts.joining.register(Application(**given), address="")

    assert (refused.value.fault, refused.value.path) == (REQUEST_INVALID, next(iter(wrong)))
    assert next(iter(wrong.values())) not in str(refused.value)


async def test_invited_member_accepts_once_with_the_token(house):
    """Ours: an invitation is a single-use token, kept as a digest only."""
    invitation = Invitation(email="ravi@city.example", name="Ravi", grant=Grant(AccessRole.CLINICIAN, CITY))
    invited = await house.parts.joining.invite(invitation, acting=OPERATOR)

    accepted = await house.parts.joining.accept(invited.token, PASSWORD, acting=NOBODY_ACTING)

    assert invited.account.state is AccountState.INVITED
    assert (accepted.state, accepted.tenant) == (AccountState.ACTIVE, CITY)
    assert invited.token == await house.token_sent("ravi@city.example")
    assert invited.token.encode() not in await house.dump()
    assert invited.token not in repr(invited)
    with pytest.raises(Refusal) as again:
        await house.parts.joining.accept(invited.token, PASSWORD, acting=NOBODY_ACTING)
    assert again.value.fault is CODE_INVALID


async def test_invitation_runs_out_and_is_made_again(house):
    """Ours: an invitation lives seven days; whoever missed it gets another, and the account stays one."""
    invitation = Invitation(email="ravi@city.example", name="Ravi", grant=Grant(AccessRole.CLINICIAN, CITY))
    first = await house.parts.joining.invite(invitation, acting=OPERATOR)
    house.clock.time += 7 * 86_400 + 1
    with pytest.raises(Refusal) as late:
        await house.parts.joining.accept(first.token, PASSWORD, acting=NOBODY_ACTING)

    second = await house.parts.joining.invite(replace(invitation, name="Ravi K"), acting=OPERATOR)
    accepted = await house.parts.joining.accept(second.token, PASSWORD, acting=NOBODY_ACTING)

    assert late.value.fault is CODE_INVALID
    assert (accepted.id, accepted.name) == (first.account.id, "Ravi K")


async def test_administrator_invites_only_roles_of_their_own_kind_into_their_own_tenant(house):
    """Table of roles: a hospital's administrator manages own staff, not the network's, and no other hospital's."""
    admin = await house.member("head@city.example", AccessRole.HOSPITAL_ADMIN)
    by = {"acting": themselves(admin), "by": principal(admin)}
    wrong = [
        Grant(AccessRole.REGISTRY_ADMIN),
        Grant(AccessRole.REGISTRY_ADMIN, CITY),
        Grant(AccessRole.CLINICIAN, "other.example"),
        Grant(AccessRole.PATIENT, CITY),
        Grant(AccessRole.SERVICE, CITY),
    ]

    for grant in wrong:
        with pytest.raises(Refusal) as denied:
            await house.parts.joining.invite(Invitation(email="x@y.example", name="X", grant=grant), **by)
        assert denied.value.fault is ACCESS_DENIED
    good = Invitation(email="x@y.example", name="X", grant=Grant(AccessRole.CLINICIAN, CITY))
    assert (await house.parts.joining.invite(good, **by)).account.tenant == CITY


async def test_inviting_somebody_who_has_an_account_is_refused(house):
    """Ours: one account for one e-mail address."""
    await house.patient()
    invitation = Invitation(email=ASHA, name="Asha", grant=Grant(AccessRole.CLINICIAN, CITY))

    with pytest.raises(Refusal) as taken:
        await house.parts.joining.invite(invitation, acting=OPERATOR)

    assert taken.value.fault is ALREADY_TAKEN


async def test_invitation_that_nobody_took_up_leaves_its_address_to_its_owner(house):
    """Ours: who invites a stranger's address must not keep them out for good; a waiting invitation stays."""
    invitation = Invitation(email=ASHA, name="Asha", grant=Grant(STAFF, CITY))
    invited = await house.parts.joining.invite(invitation, acting=OPERATOR)
    house.clock.time += 7 * 86_400
    await house.parts.tidy()
    kept = await house.accounts.get(invited.account.id)
    house.clock.time += 2 * 86_400

    await house.parts.tidy()

    assert kept == invited.account
    assert (await house.actions())[-1] == "account.expire"
    assert (await house.patient()).id != invited.account.id
