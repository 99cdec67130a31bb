"""`uhi hospital admin`: the operator of the machine invites the first people, and looks after accounts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cli.people_admin import people_of_operator
from tests.participants.hospital.premises import settings_in
from uhi.audit.trail import AuditTrail
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

HERE = {"role": "hospital.frontdesk", "organisation": "org-1"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings of a hospital that was never started; returns its database."""
    url = f"sqlite:///{tmp_path / 'hospital.db'}"
    for name, value in settings_in(tmp_path, url).model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"UHI_{name.upper()}", str(value))
    return url


def account_of(url: str, folder: Path, email: str) -> Account:
    """The account with an e-mail address."""

    async def found() -> Account:
        async with people_of_operator(settings_in(folder, url)) as people:
            return await people.accounts.with_email(email)

    return asyncio.run(found())


def invited(uhi, *options: str):
    """Somebody is invited, as JSON."""
    return uhi("hospital", "admin", "invite", "asha@clinic.example", *options, "--json")


def test_operator_invites_the_first_people(uhi, environment, tmp_path):
    """Issue 5: staff with roles; the token is shown once, and it is audited as the operator's doing."""
    done = invited(uhi, "--role", "hospital.operator")

    told = json.loads(done.stdout)
    assert (done.exit_code, told["role"], len(told["token"])) == (0, "hospital.operator", 43)
    assert account_of(environment, tmp_path, "asha@clinic.example").grants == {Grant(AccessRole.HOSPITAL_OPERATOR)}


def test_clinician_is_tied_to_their_record(uhi, environment, tmp_path):
    """Security rules, IAM: clinicians see their own patients, by the practitioner they are."""
    done = invited(uhi, "--role", "clinician", "--organisation", "org-1", "--practitioner", "prac-1")

    made = account_of(environment, tmp_path, "asha@clinic.example")
    assert (done.exit_code, made.practitioner_id) == (0, "prac-1")
    assert made.grants == {Grant(AccessRole.CLINICIAN, "org-1")}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--role", "hospital.admin"), "--organisation ID"),
        (("--role", "hospital.operator", "--organisation", "org-1"), "leave --organisation out"),
        (("--role", "clinician", "--organisation", "org-1"), "--practitioner ID"),
        (("--role", "hospital.frontdesk", "--organisation", "org-1", "--practitioner", "p"), "--practitioner ID"),
        (("--role", "registry.admin"), "is not one of"),
    ],
)
def test_roles_have_their_place(uhi, environment, options, expected):
    """Ours: nobody is invited to a role that would count for nothing."""
    done = uhi("hospital", "admin", "invite", "asha@clinic.example", *options)

    assert (done.exit_code, expected in done.stderr) == (2, True)


def test_human_output_says_how_to_sign_in(uhi, environment):
    """Ours: what an operator passes on is there to be copied."""
    done = uhi("hospital", "admin", "invite", "asha@clinic.example", "--role", "hospital.operator")

    assert "https://clinic.example/v1/invitations/accept" in done.stdout
    assert "good for" in done.stdout


def test_operator_sees_closes_and_reopens(uhi, environment):
    """Ours: as at the registry, by the same commands."""
    invited(uhi, "--role", "hospital.operator")
    admin = ("hospital", "admin")

    closed = uhi(*admin, "close", "asha@clinic.example")
    again = uhi(*admin, "close", "asha@clinic.example")
    listed = json.loads(uhi(*admin, "list", "--json").stdout)

    assert (closed.exit_code, again.exit_code) == (0, 1)
    assert "is closed already" in again.stderr
    assert [(each["email"], each["state"]) for each in listed["accounts"]] == [("asha@clinic.example", "CLOSED")]


def test_what_the_operator_does_is_audited(uhi, environment, tmp_path):
    """Issue 5: every change is audited."""
    invited(uhi, "--role", "hospital.operator")

    async def actions() -> list[tuple[str, str]]:
        async with people_of_operator(settings_in(tmp_path, environment)) as people:
            rows = await AuditTrail(people.store.database).rows()
            return [(row.actor.partition(" ")[0], row.action) for row in rows]

    assert asyncio.run(actions()) == [("operator", "account.invite")]
