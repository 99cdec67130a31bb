"""Accounts: what is foreign is missing, who may change what, and what the audit trail keeps."""

from __future__ import annotations

import pytest

from tests.identity.house import ASHA, CITY, OPERATOR, PASSWORD, PHONE, House, principal, refused, themselves
from uhi.errors import Refusal, SetupError
from uhi.faults import ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING, SIGN_IN_FAILED, STATE_REFUSED
from uhi.identity.account_rows import AccountRows
from uhi.identity.accounts import AccountFilter
from uhi.identity.people import AccountState, Ties
from uhi.identity.principals import Grant
from uhi.identity.recovery import PasswordChange
from uhi.identity.roles import AccessRole
from uhi.identity.sending import SentLetter
from uhi.identity.session_rows import Client
from uhi.storage.sealing import Sealing

OTHER_HOSPITAL = "other-hospital.example"


@pytest.mark.case("IAM-03")
async def test_account_of_another_tenant_is_missing(house):
    """Threat T27: a foreign record is answered as one that is not there."""
    account = await house.member("ravi@city.example")

    with pytest.raises(Refusal) as foreign:
        await house.accounts.get(account.id, tenants={OTHER_HOSPITAL})
    with pytest.raises(Refusal) as missing:
        await house.accounts.get("0" * 32, tenants={OTHER_HOSPITAL})

    assert foreign.value.fault is missing.value.fault is RECORD_MISSING
    assert str(foreign.value) == str(missing.value)
    assert await house.accounts.get(account.id, tenants={CITY}) == account


async def test_pages_hold_each_account_of_the_tenant_once(house):
    """Ours: a list is read page by page, in the order in which accounts were made, and never beyond one's tenants."""
    made = [await house.member(f"n{n}@city.example") for n in range(5)]
    await house.member("x@other.example", tenant=OTHER_HOSPITAL)

    first = await house.accounts.page(AccountFilter(tenants={CITY}, most=3))
    second = await house.accounts.page(AccountFilter(tenants={CITY}, most=3, after=first.next))

    assert [each.id for each in (*first.accounts, *second.accounts)] == [each.id for each in made]
    assert second.next == ""
    assert (await house.accounts.page(AccountFilter(tenants=set()))).accounts == ()


async def test_addresses_are_found_of_the_accounts_that_are_there(house):
    """Ours: who approved something is shown by an address people know."""
    made = [await house.member(f"n{n}@city.example") for n in range(2)]

    found = await house.accounts.emails({made[0].id, "0" * 32})

    assert found == {made[0].id: "n0@city.example"}
    assert await house.accounts.emails(()) == {}


async def test_role_is_given_and_taken_with_its_audit_rows(house):
    """Issue: every staff change is audited; a role that was taken ends the sessions it was used in."""
    admin = await house.member("head@city.example", AccessRole.HOSPITAL_ADMIN)
    account = await house.member("ravi@city.example")
    signed_in = await house.sign_in("ravi@city.example")
    opened = await house.parts.sessions.open(signed_in, client=Client())
    by, grant = {"acting": themselves(admin), "by": principal(admin)}, Grant(AccessRole.FINANCE, CITY)

    given = await house.accounts.grant(account.id, grant, **by)
    taken = await house.accounts.withdraw(account.id, grant, **by)

    assert grant in given.grants
    assert taken.grants == account.grants
    assert (await house.actions())[-2:] == ["account.grant", "account.withdraw"]
    assert await refused(lambda: house.parts.sessions.check_open(opened.session_id)) == "IAM_TOKEN_INVALID"


@pytest.mark.case("IAM-04")
async def test_nobody_gives_roles_to_themselves_or_beyond_their_own_tenant(house):
    """Table of roles: an administrator is not a clinician by their own word, nor anything at another hospital."""
    admin = await house.member("head@city.example", AccessRole.HOSPITAL_ADMIN)
    other = await house.member("x@other.example", tenant=OTHER_HOSPITAL)
    staff = await house.member("ravi@city.example")
    by = {"acting": themselves(admin), "by": principal(admin)}

    own = await refused(lambda: house.accounts.grant(admin.id, Grant(AccessRole.CLINICIAN, CITY), **by))
    foreign = await refused(lambda: house.accounts.grant(other.id, Grant(AccessRole.CLINICIAN, CITY), **by))
    network = await refused(lambda: house.accounts.grant(staff.id, Grant(AccessRole.REGISTRY_ADMIN), **by))
    powerless = await refused(
        lambda: house.accounts.grant(
            other.id, Grant(AccessRole.CLINICIAN, CITY), acting=themselves(staff), by=principal(staff)
        )
    )

    assert own == ANOTHER_PERSON_REQUIRED.code
    assert foreign == RECORD_MISSING.code
    assert network == powerless == ACCESS_DENIED.code


async def test_closed_account_does_not_sign_in_until_somebody_else_reopens_it(house):
    """Ours: closing is final for its owner only."""
    account = await house.patient()

    closed = await house.accounts.close(account.id, acting=themselves(account))
    wrong = await refused(house.sign_in)
    own = await refused(lambda: house.accounts.reopen(account.id, acting=themselves(account)))
    reopened = await house.accounts.reopen(account.id, acting=OPERATOR)

    assert closed.state is AccountState.CLOSED
    assert (wrong, own) == (SIGN_IN_FAILED.code, ANOTHER_PERSON_REQUIRED.code)
    assert reopened.state is AccountState.ACTIVE
    assert await house.sign_in()


async def test_erased_account_keeps_nothing_but_the_address(house):
    """Case IAM-17: name and number go with what the program keeps, in one step; the address is nobody else's."""
    account = await house.phone(await house.patient())
    await house.totp(account)

    def fails(_: object) -> None:
        raise Refusal(STATE_REFUSED)

    kept = await refused(lambda: house.accounts.erase(account.id, acting=themselves(account), also=fails))
    before = await house.accounts.get(account.id)
    erased = await house.accounts.erase(account.id, acting=themselves(account), also=lambda _: None)

    assert (kept, before.phone, before.second_factors) == (STATE_REFUSED.code, PHONE, {"otp"})
    assert (erased.email, erased.name, erased.phone, erased.second_factors) == (ASHA, "", "", frozenset())
    assert await house.accounts.get(account.id) == erased
    assert await refused(house.sign_in) == SIGN_IN_FAILED.code


async def test_account_is_tied_to_its_practitioner_by_its_own_hospital_only(house):
    """Rules on IAM: the attributes practitioner_id and facility_id are an administrator's to set."""
    account = await house.member("ravi@city.example", AccessRole.CLINICIAN)
    stranger = await house.member("y@other.example", AccessRole.HOSPITAL_ADMIN, OTHER_HOSPITAL)
    ties = Ties(facility_id="f1", practitioner_id="p1")

    foreign = await refused(
        lambda: house.accounts.tie(account.id, ties, acting=themselves(stranger), by=principal(stranger))
    )
    tied = await house.accounts.tie(account.id, ties, acting=OPERATOR)

    assert foreign == RECORD_MISSING.code
    assert (tied.facility_id, tied.practitioner_id) == ("f1", "p1")


async def test_change_over_a_change_of_somebody_else_is_refused(house):
    """Ours: the version of a row decides, as with orders."""
    account = await house.patient()
    rows = await house.accounts.rows()
    await house.accounts.rename(account.id, "Asha Rao", acting=themselves(account))

    stale = await refused(
        lambda: house.database.write(lambda connection: rows.change(connection, account, account, at=0.0))
    )

    assert stale == STATE_REFUSED.code


@pytest.mark.case("IAM-10")
async def test_no_name_address_number_or_secret_stands_in_the_tables(house: House):
    """Rules on data at rest: e-mail, phone and name are sealed, secrets are digests; so in the audit trail."""
    account = await house.phone(await house.patient())
    app, codes = await house.totp(account)
    needed = await house.sign_in()
    await house.parts.recovery.begin_reset(ASHA, address="")
    token = await house.token_sent(ASHA)

    dump = await house.dump()

    secrets = [ASHA, PHONE, PHONE[3:], "Asha", PASSWORD, app.secret, codes[0], needed.challenge, token]
    assert [secret for secret in secrets if secret.encode() in dump] == []


@pytest.mark.case("IAM-10")
async def test_account_sealed_with_another_key_or_moved_to_another_row_does_not_open(house):
    """Rules on data at rest: a wrong key fails closed, moved ciphertext does not decrypt."""
    account, other = await house.patient(), await house.member("ravi@city.example")
    moved = (
        f"UPDATE account SET sealed = (SELECT sealed FROM account WHERE id = '{other.id}') WHERE id = '{account.id}'"
    )
    keyed = await house.parts.store.keyed()
    wrong = AccountRows(Sealing([b"w" * 32]), keyed)

    with pytest.raises(SetupError):
        await house.database.read(lambda connection: wrong.by_id(connection, account.id))
    await house.database.write(lambda connection: connection.exec_driver_sql(moved).rowcount)
    with pytest.raises(SetupError):
        await house.accounts.get(account.id)


def test_secrets_do_not_show_in_a_repr():
    """Issue: nothing secret in logs or tracebacks."""
    shown = repr([SentLetter("a@b.example", "123456"), PasswordChange(account_id="1", old="old-one", new="new-one")])

    assert [secret for secret in ("a@b", "123456", "old-one", "new-one") if secret in shown] == []
