"""`uhi hospital admin`: the operator of the machine invites the first people, and looks after accounts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cli.people_admin import people_of_operator
from tests.participants.hospital.premises import settings_in
from tests.participants.hospital.towns import CITY
from uhi.audit.trail import AuditTrail
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole


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


@pytest.fixture
def organisation(uhi, environment: str, tmp_path: Path) -> str:
    """The id of an organisation that is there, with two practitioners."""
    (tmp_path / "city.yaml").write_text(CITY, "utf-8")
    return str(json.loads(uhi("hospital", "load", str(tmp_path / "city.yaml"), "--json").stdout)["organisation"])


def invited(uhi, *options: str):
    """Somebody is invited, as JSON."""
    return uhi("hospital", "admin", "invite", "asha@clinic.example", *options, "--json")


def test_operator_invites_the_first_people(uhi, environment, tmp_path):
    """Issue 5: staff with roles; the token is shown once, and it is audited as the operator's doing."""
    done = invited(uhi, "--role", "hospital.operator")

    told = json.loads(done.stdout)
    assert (done.exit_code, told["role"], len(told["token"])) == (0, "hospital.operator", 43)
    assert account_of(environment, tmp_path, "asha@clinic.example").grants == {Grant(AccessRole.HOSPITAL_OPERATOR)}


@pytest.mark.parametrize("words", ["hospital --role hospital.operator", "registry --role auditor", "patient"])
def test_every_invitation_says_whether_a_letter_leaves(words, uhi, environment, monkeypatch):
    """Ours: whoever invites knows whether the token reaches anybody without them."""
    monkeypatch.setenv("UHI_SMTP_SENDER", "no-reply@mail.example")
    group, *options = words.split()
    said = []
    for host in ("", "mail.example"):
        monkeypatch.setenv("UHI_SMTP_HOST", host)
        said.append(uhi(group, "admin", "invite", "asha@clinic.example", *options).stdout)

    found = [("No letter went out" in each, "A letter with it is on its way" in each) for each in said]
    assert found == [(True, False), (False, True)]


def test_clinician_is_tied_to_their_record(uhi, environment, organisation, tmp_path):
    """Security rules, IAM: clinicians see their own patients, by the practitioner they are."""
    listed = json.loads(uhi("hospital", "list", "--organisation", organisation, "--json").stdout)
    record = listed["practitioners"][0]["id"]
    done = invited(uhi, "--role", "clinician", "--organisation", organisation, "--practitioner", record)

    made = account_of(environment, tmp_path, "asha@clinic.example")
    assert (done.exit_code, made.practitioner_id) == (0, record)
    assert made.grants == {Grant(AccessRole.CLINICIAN, organisation)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--role", "hospital.admin", "--organisation", "nowhere"), "uhi hospital list"),
        (("--role", "clinician", "--organisation", "HERE"), "the role clinician"),
        (("--role", "clinician", "--organisation", "HERE", "--practitioner", "nobody"), "uhi hospital list"),
        (("--role", "hospital.frontdesk", "--organisation", "HERE", "--practitioner", "x"), "the role clinician"),
    ],
)
def test_nobody_is_invited_to_what_is_not_there(uhi, environment, organisation, options, expected):
    """Ours: what, got, expected, and where the ids are listed; nobody is invited."""
    options = [organisation if each == "HERE" else each for each in options]

    done = uhi("hospital", "admin", "invite", "asha@clinic.example", *options)

    assert (done.exit_code, expected in done.stderr) == (1, True)
    assert json.loads(uhi("hospital", "admin", "list", "--json").stdout)["accounts"] == []


def test_operator_learns_that_no_letter_left(uhi, environment):
    """Ours: without a mail server the token on the screen is the only one."""
    done = uhi("hospital", "admin", "invite", "asha@clinic.example", "--role", "hospital.operator")
    told = json.loads(invited(uhi, "--role", "hospital.operator").stdout)

    assert ("UHI_SMTP_HOST is not set" in done.stdout, told["letter"]) == (True, False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--role", "hospital.admin"), "--organisation ID"),
        (("--role", "hospital.operator", "--organisation", "org-1"), "leave --organisation out"),
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
