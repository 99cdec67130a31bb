"""`uhi patient admin`: the operator of the machine invites whom no letter reaches, and looks after accounts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.participants.patient.scene import settings_in

EMAIL = "ravi@app.example"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of an application that was never started."""
    settings = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'app.db'}")
    for name, value in settings.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"UHI_{name.upper()}", str(value))


def test_operator_invites_a_patient_and_sees_them(uhi):
    """Ours: an application without a host for letters is tried out too; the token is shown once."""
    done = uhi("patient", "admin", "invite", EMAIL, "--json")
    seen = uhi("patient", "admin", "list", "--json")

    told = json.loads(done.stdout)
    [account] = json.loads(seen.stdout)["accounts"]
    assert (done.exit_code, told["letter"], len(told["token"])) == (0, False, 43)
    assert (account["email"], account["state"], account["roles"]) == (EMAIL, "INVITED", ["patient in patients"])


@pytest.mark.parametrize(("role", "factors"), [("patient", 0), ("auditor", 1)])
def test_human_output_says_how_to_sign_in(uhi, role, factors):
    """Ours: what an operator passes on is there to be copied; staff need a second factor, patients need none."""
    done = uhi("patient", "admin", "invite", EMAIL, "--role", role)

    assert "https://app.example/v1/invitations/accept" in done.stdout
    assert done.stdout.count("second factor") == factors


def test_nobody_is_invited_to_a_role_that_counts_for_nothing_here(uhi):
    """Ours: a patient application has no staff but auditors."""
    done = uhi("patient", "admin", "invite", EMAIL, "--role", "hospital.admin")

    assert (done.exit_code, "is not one of" in done.stderr) == (2, True)
