"""`uhi registry` against a registry that runs: apply, sign in, decide, rotate, and what a newcomer is told."""

from __future__ import annotations

import asyncio
import json
import stat
import warnings
from collections.abc import AsyncIterator, Callable
from getpass import GetPassWarning

import pyotp
import pytest
from click.testing import Result

from cli import registry_login
from cli.registry_session import Session, session_file, write_session
from tests.docs.shell import free_port
from tests.gateway.network_registry.scene import PREFIX, REGISTRY_ID, Scene, admin, write_settings
from uhi.audit import Acting, ActorKind
from uhi.audit.trail import Wanted
from uhi.errors import Refusal
from uhi.identity.joining import Invitation
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file

PASSWORD = "vortex-lantern-9-quarry"
OPERATOR = Acting(actor="operator test", kind=ActorKind.OPERATOR)


@pytest.fixture
async def scene(tmp_path, monkeypatch) -> AsyncIterator[Scene]:
    """A registry; what the command keeps for its user stays in the test's folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with Scene(write_settings(tmp_path)) as running:
        # Without anybody who is shown them, no letter leaves.
        running.program.parts.people.notices.sender.by_email.show = str
        yield running


@pytest.fixture
def clinic(scene, tmp_path, monkeypatch) -> int:
    """The settings of an applicant, and the port at which it is to answer."""
    port = free_port()
    [(key_id, public)] = scene.trust.keys.items()
    write_private_key_file(tmp_path / "clinic.pem", PrivateKey.new())
    for name, value in {
        "SUBSCRIBER_ID": "clinic.example",
        "KEY_ID": "k1",
        "KEY_FILE": tmp_path / "clinic.pem",
        "URL": f"http://127.0.0.1:{port}/uhi",
        "REGISTRY_URL": scene.url,
        "REGISTRY_ID": REGISTRY_ID,
        "REGISTRY_KEYS": f"{key_id}={public.raw_base64()}",
    }.items():
        monkeypatch.setenv(f"UHI_{name}", str(value))
    monkeypatch.setattr("cli.registry_join.POLL_SECONDS", 0.05)
    return port


@pytest.fixture
def call(uhi) -> Callable[..., object]:
    """Calls the command beside the registry's own event loop."""

    async def in_a_thread(*arguments: str, stdin: str | None = None) -> Result:
        return await asyncio.to_thread(lambda: uhi("registry", *arguments, stdin=stdin))

    return in_a_thread


async def invite(scene: Scene, email: str, role: AccessRole) -> str:
    """A token for somebody."""
    wanted = Invitation(email=email, name="Asha", grant=Grant(role))
    return (await scene.program.parts.people.joining.invite(wanted, acting=OPERATOR)).token


async def sign_up(scene: Scene, email: str, role: AccessRole = AccessRole.REGISTRY_ADMIN) -> pyotp.TOTP:
    """Somebody with an account, a password and an authenticator app."""
    people = scene.program.parts.people
    account = await people.joining.accept(await invite(scene, email, role), PASSWORD, acting=OPERATOR)
    acting = Acting(actor=account.id, kind=ActorKind.PERSON)
    app = pyotp.TOTP((await people.second_factors.begin_totp(account.id, acting=acting)).secret)
    # A code counts once, and later ones only: the one before leaves the present one for the sign-in.
    await people.second_factors.confirm_totp(account.id, app.at(int(scene.clock.now()) - 30), acting=acting)
    return app


async def reset_token(scene: Scene, email: str) -> str:
    """The token of the letter to somebody who forgot their password."""
    notices = scene.program.parts.people.notices
    await notices.done()
    letter = notices.sender.by_email.to(email)[-1]
    return letter.text.splitlines()[1]


async def sign_in(scene: Scene, call, email: str, role: AccessRole = AccessRole.REGISTRY_ADMIN) -> Result:
    """As somebody new, at the command line."""
    app = await sign_up(scene, email, role)
    given = ("login", "--registry", scene.server.url, "--email", email)
    return await call(*given, stdin=f"{PASSWORD}\n{app.now()}\n")


async def test_apply_answers_the_challenge_and_says_what_is_missing(scene, call, clinic):
    """Issue: `uhi registry apply`; the command proves the key where no program runs."""
    done = await call("apply", "--role", "provider", "--legal-name", "Clinic", "--serve", "--port", str(clinic))

    assert done.exit_code == 0, done.output
    assert "clinic.example: INITIATED" in done.stdout
    assert "two different administrators" in done.stdout
    assert "key k1" not in done.stdout


async def test_apply_without_anybody_to_answer_says_what_to_do(scene, call, clinic):
    """Ours: what, and the next step, for a newcomer."""
    done = await call("apply", "--role", "provider")
    await scene.program.idle()
    then = await call("status")

    assert done.exit_code == then.exit_code == 0
    assert "add --serve" in done.stdout
    assert "last try: key k1: no connection to" in then.stdout


async def test_stranger_is_told_to_apply_first(call, clinic):
    """Ours: every refusal has a next step."""
    done = await call("status", "--json")

    problem = json.loads(done.stdout)["error"]
    assert (done.exit_code, problem["next_step"]) == (1, "apply first: uhi registry apply --role …")


async def test_application_that_cannot_be_taken_says_what_is_expected(call, clinic):
    """Ours: what, got, expected, next step."""
    done = await call("apply", "--role", "provider", "--email", "nobody", "--json")

    problem = json.loads(done.stdout)["error"]
    assert (problem["expected"], problem["next_step"]) == (
        "an address such as it@clinic.example",
        "correct $.contact_email",
    )


async def test_answer_of_another_registry_is_not_believed(call, clinic, monkeypatch):
    """Decision 26: pinned keys."""
    monkeypatch.setenv("UHI_REGISTRY_KEYS", f"r1={PrivateKey.new().public.raw_base64()}")

    done = await call("status")

    assert done.exit_code == 1
    assert "the registry's answer is not believed" in done.stderr


async def test_administrators_decide_from_their_own_machine(scene, call, clinic):
    """Issue: list, show, review, approve by two, suspend, revoke, export."""
    await call("apply", "--role", "provider", "--serve", "--port", str(clinic))
    register = scene.program.parts.register

    await sign_in(scene, call, "one@registry.example")
    listed = await call("list")
    reviewed = await call("review", "clinic.example", "--yes")
    own = await call("approve", "clinic.example", "--yes")
    await register.approve("clinic.example", acting=admin("two"))
    await sign_in(scene, call, "three@registry.example")
    approved = await call("approve", "clinic.example", "--yes")
    suspended = await call("suspend", "clinic.example", "--reason", "a test")
    revoked = await call("revoke", "clinic.example", "--reason", "a test", "--yes", "--json")
    exported = await call("export")

    assert "2 approvals" in listed.stdout
    assert "UNDER_REVIEW" in reviewed.stdout
    assert (own.exit_code, "ask another administrator" in own.stderr) == (1, True)
    assert "clinic.example: SUBSCRIBED" in approved.stdout
    assert "clinic.example: SUSPENDED" in suspended.stdout
    assert json.loads(revoked.stdout)["status"] == "REVOKED"
    assert json.loads(exported.stdout)["registry_seq"] == register.members.seq


async def test_who_decided_the_fingerprint_and_the_reason_are_shown(scene, call, clinic):
    """Ours: an approver compares by telephone, knows who came before, and the member learns why it is suspended."""
    await call("apply", "--role", "provider", "--serve", "--port", str(clinic))
    register = scene.program.parts.register
    await sign_in(scene, call, "one@registry.example")
    await call("review", "clinic.example", "--yes")

    shown = await call("show", "clinic.example")
    for name in ("two", "three"):
        await register.approve("clinic.example", acting=admin(name))
    await register.suspend("clinic.example", reason="a test", acting=admin("two"))
    asked = await call("status")

    assert ("one@registry.example" in shown.stdout, "fingerprint " in shown.stdout) == (True, True)
    assert ("Why: a test" in asked.stdout, "ask the network's operator" in asked.stdout) == (True, True)


async def test_export_goes_into_a_new_file_in_whatever_script_names_are(scene, call, clinic, tmp_path):
    """Issue: export; ours: a name in Devanagari is a name, and a file that is there is not overwritten."""
    out = tmp_path / "register.json"
    await call("apply", "--role", "provider", "--legal-name", "शहर अस्पताल")
    await sign_in(scene, call, "one@registry.example")

    done = await call("export", "--out", str(out))
    again = await call("export", "--out", str(out))

    assert (done.exit_code, stat.S_IMODE(out.stat().st_mode)) == (0, 0o600)
    assert "शहर अस्पताल" in out.read_text(encoding="utf-8")
    assert (again.exit_code, "File exists" in again.stderr) == (2, True)


async def test_sign_in_is_kept_for_its_owner_only_and_forgotten_at_the_end(scene, call):
    """Issue: the token is kept 0600 under the user's settings."""
    done = await sign_in(scene, call, "one@registry.example")
    mode = stat.S_IMODE(session_file().stat().st_mode)
    kept = session_file().read_text()

    out = await call("logout")
    after = await call("list")

    assert (done.exit_code, mode, PASSWORD in kept) == (0, 0o600, False)
    assert "access_token" not in done.output
    assert (out.exit_code, session_file().exists()) == (0, False)
    assert (after.exit_code, "not signed in" in after.stderr) == (2, True)


async def test_sign_in_that_others_can_read_is_not_used(scene, call):
    """Keys and tokens: mode 0600, else it counts as known to others."""
    write_session(Session(scene.server.url, "token"))
    session_file().chmod(0o644)

    done = await call("list")

    assert (done.exit_code, "others can read your sign-in" in done.stderr) == (2, True)


async def test_viewer_may_look_and_not_decide(scene, call, clinic):
    """IAM: deny by default."""
    await call("apply", "--role", "provider")
    await sign_in(scene, call, "viewer@registry.example", AccessRole.REGISTRY_VIEWER)

    listed = await call("list", "--status", "INITIATED")
    refused = await call("review", "clinic.example", "--yes")

    assert "clinic.example" in listed.stdout
    assert (refused.exit_code, "IAM_ACCESS_DENIED" in refused.stderr) == (1, True)


async def test_invitation_is_taken_up_with_password_and_app(scene, call, monkeypatch):
    """Issue: login with password and TOTP; a newcomer is led through both."""
    token = await invite(scene, "one@registry.example", AccessRole.REGISTRY_ADMIN)
    apps: list[pyotp.TOTP] = []

    def prompt(text: str, **_: object) -> str:
        if text.startswith("Code that"):
            return apps[0].at(int(scene.clock.now()) - 30)
        return token if text.startswith("Token") else PASSWORD if "assword" in text else apps[0].now()

    monkeypatch.setattr(registry_login.click, "prompt", prompt)
    monkeypatch.setattr(registry_login, "say_rows", lambda rows, **_: apps.append(pyotp.TOTP(dict(rows)["secret"])))
    given = ("login", "--registry", scene.server.url, "--email", "one@registry.example", "--invitation")
    done = await call(*given)
    listed = await call("list")

    assert done.exit_code == 0, done.output
    assert "Recovery codes" in done.stderr
    assert "Nobody fits" in listed.stdout


async def approve(scene: Scene) -> None:
    """Two administrators say yes to what waits."""
    for name in ("one", "two"):
        await scene.program.parts.register.approve("clinic.example", acting=admin(name))


async def test_rotation_leads_from_one_key_to_the_next(scene, call, clinic, tmp_path, monkeypatch):
    """Issue: `uhi registry rotate`: publish, approve, switch, retire."""
    serving, file = ("--serve", "--port", str(clinic)), str(tmp_path / "k2.pem")
    register = scene.program.parts.register
    await call("apply", "--role", "provider", *serving)
    await register.review("clinic.example", acting=admin("reviewer"))
    await approve(scene)

    published = await call("rotate", file, "--key-id", "k2", *serving)
    early = await call("rotate", "--retire", "k1")
    await approve(scene)
    in_force = await call("rotate", file, "--key-id", "k2")
    monkeypatch.setenv("UHI_KEY_ID", "k2")
    monkeypatch.setenv("UHI_KEY_FILE", file)
    retired = await call("rotate", "--retire", "k1")

    assert "not in force yet" in published.stdout
    assert (early.exit_code, "you sign with" in early.stderr) == (2, True)
    assert "in force beside the old one" in in_force.stdout
    assert "revoked" in retired.stdout
    standing = await register.standing("clinic.example")
    assert [key.id for key in standing.active_keys(scene.clock.now())] == ["k2"]


@pytest.mark.parametrize("address", ["http://registry.example", "ftp://registry.example", "registry.example"])
def test_password_is_not_sent_in_the_clear(uhi, address):
    """IAM: https, or this very machine."""
    done = uhi("registry", "login", "--registry", address)

    assert (done.exit_code, "https://" in done.stderr) == (2, True)


def test_registry_at_the_root_of_its_host_does_not_start(uhi, tmp_path, monkeypatch):
    """Ours: the operator's mistake is told before the first request."""
    settings = write_settings(tmp_path)
    for name in ("subscriber_id", "key_id", "key_file", "body_key_file", "database_url"):
        monkeypatch.setenv(f"UHI_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("UHI_URL", "http://registry.example")

    done = uhi("registry", "serve", "--port", "0")

    assert (done.exit_code, PREFIX in done.stderr) == (2, True)


def set_environment(monkeypatch, settings) -> None:
    """As the registry itself is started."""
    for name in ("subscriber_id", "key_id", "key_file", "body_key_file", "database_url", "url", "token_key_folder"):
        monkeypatch.setenv(f"UHI_{name.upper()}", str(getattr(settings, name)))


def test_operator_invites_on_the_database_itself(uhi, tmp_path, monkeypatch):
    """Issue: the first administrator; the token is shown once, and it is audited as the operator's doing."""
    set_environment(monkeypatch, write_settings(tmp_path))

    done = uhi("registry", "admin", "invite", "one@registry.example", "--role", "registry.admin", "--json")
    wrong = uhi("registry", "admin", "invite", "one@registry.example", "--role", "patient")

    invited = json.loads(done.stdout)
    assert (done.exit_code, invited["role"], len(invited["token"])) == (0, "registry.admin", 43)
    assert wrong.exit_code == 2


async def test_operator_unlocks_a_second_factor(scene, call, monkeypatch):
    """Rules on TOTP: a hard lock at 100 wrong codes in a row; the operator lifts it, and it is audited as theirs."""
    set_environment(monkeypatch, scene.settings)
    app = await sign_up(scene, "one@registry.example")
    people = scene.program.parts.people
    account = await people.accounts.with_email("one@registry.example")
    for _ in range(5):
        with pytest.raises(Refusal):
            await people.second_factors.check(account, "otp", "000000", bound_to="")

    done = await call("admin", "unlock", "one@registry.example", "--json")
    wrong = await call("admin", "unlock", "nobody@registry.example")

    await people.second_factors.check(account, "otp", app.now(), bound_to="")
    [row] = await scene.program.parts.trail.rows(wanted=Wanted(action="factor.unlock"))
    assert (done.exit_code, json.loads(done.stdout)["account"]) == (0, account.id)
    assert (row.actor_kind, row.object) == ("operator", f"account {account.id}")
    assert (wrong.exit_code, "nobody has this e-mail address" in wrong.stderr) == (1, True)


async def test_operator_closes_and_reopens_an_account(scene, call, monkeypatch):
    """Issue: who has left signs in no more; the operator says on which database, and it is audited as theirs."""
    set_environment(monkeypatch, scene.settings)
    await sign_up(scene, "one@registry.example")

    closed = await call("admin", "close", "one@registry.example")
    again = await call("admin", "close", "one@registry.example")
    listed = json.loads((await call("admin", "list", "--json")).stdout)
    reopened = await call("admin", "reopen", "one@registry.example", "--json")
    now = await call("admin", "list")

    rows = await scene.program.parts.trail.rows(wanted=Wanted(action="account."), newest=True)
    assert (closed.exit_code, again.exit_code, reopened.exit_code) == (0, 1, 0)
    assert scene.settings.database_url in closed.stdout
    assert [(each["email"], each["state"]) for each in listed["accounts"]] == [("one@registry.example", "CLOSED")]
    assert "one@registry.example: ACTIVE" in now.stdout
    assert {(row.action, row.actor_kind) for row in rows} >= {
        ("account.close", "operator"),
        ("account.reopen", "operator"),
    }


@pytest.mark.parametrize(
    "command", [("list",), ("close", "a@b.example"), ("invite", "a@b.example", "--role", "auditor")]
)
def test_operator_is_asked_which_database(uhi, tmp_path, monkeypatch, command):
    """Ours: no new file beside whoever calls, which the registry would never look into."""
    set_environment(monkeypatch, write_settings(tmp_path))
    monkeypatch.delenv("UHI_DATABASE_URL")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())

    done = uhi("registry", "admin", *command)

    assert (done.exit_code, "--url or UHI_DATABASE_URL" in done.stderr) == (2, True)
    assert sorted(tmp_path.iterdir()) == before


def test_operator_is_told_of_a_database_that_is_not_there(uhi, tmp_path, monkeypatch):
    """Ours: a mistyped name is no empty registry."""
    set_environment(monkeypatch, write_settings(tmp_path))

    done = uhi("registry", "admin", "list", "--url", f"sqlite:///{tmp_path}/typo.db")

    assert (done.exit_code, "no such database file" in done.stderr) == (2, True)
    assert not (tmp_path / "typo.db").exists()


async def test_forgotten_password_is_chosen_anew(scene, call):
    """IAM: a letter, then a new password, then a usual sign-in; who has no account is told the same."""
    app = await sign_up(scene, "one@registry.example")
    given = ("login", "--registry", scene.server.url, "--email")
    asked = await call(*given, "one@registry.example", "--forgotten")
    stranger = await call(*given, "two@registry.example", "--forgotten")
    token = await reset_token(scene, "one@registry.example")
    chosen = "copper-harbour-42-meadow"

    done = await call(*given, "one@registry.example", "--reset", token, stdin=f"{chosen}\n{chosen}\n{app.now()}\n")
    again = await call(*given, "one@registry.example", "--reset", stdin=f"{token}\n{chosen}\n{chosen}\n")

    assert asked.stdout.replace("one@", "two@") == stranger.stdout
    assert "a letter is on its way" in asked.stdout
    assert (done.exit_code, "Signed in" in done.stdout, token in done.output) == (0, True, False)
    assert (again.exit_code, "ask for another one" in again.stderr) == (1, True)


def test_one_way_to_sign_in_at_a_time(uhi):
    """Ours: an invitation is not a forgotten password."""
    done = uhi("registry", "login", "--registry", "https://reg.example", "--forgotten", "--reset")

    assert (done.exit_code, "one of --invitation" in done.stderr) == (2, True)


def test_password_is_not_asked_for_where_it_would_be_shown(uhi, monkeypatch):
    """Ours: without a terminal, say so, instead of Python's warning."""

    def shown(*_: object, **__: object) -> str:
        warnings.warn("echoed", GetPassWarning, stacklevel=1)
        return PASSWORD

    monkeypatch.setattr("cli.inputs.click.prompt", shown)
    done = uhi("registry", "login", "--registry", "https://reg.example", "--email", "a@b.example")

    assert (done.exit_code, "run it in a terminal" in done.stderr) == (2, True)


def test_question_at_the_end_of_the_input_is_told(uhi):
    """Ours: nobody interrupted it."""
    done = uhi("registry", "login", "--registry", "https://reg.example", stdin="")

    assert (done.exit_code, "the input is at its end" in done.stderr) == (2, True)


def test_registry_of_a_file_needs_its_own_id(uhi, tmp_path):
    """Ours: what is missing, and how to give it."""
    done = uhi("registry", "serve", "--file", str(tmp_path / "members.yaml"))

    assert (done.exit_code, "--subscriber-id registry.example" in done.stderr) == (2, True)


def test_registry_without_settings_is_told_of_both_ways(uhi, monkeypatch):
    """Ours: a newcomer may only want one for development."""
    for name in ("SUBSCRIBER_ID", "KEY_ID", "KEY_FILE", "URL"):
        monkeypatch.delenv(f"UHI_{name}", raising=False)

    done = uhi("registry", "serve")

    assert (done.exit_code, "UHI_KEY_FILE" in done.stderr, "--file" in done.stderr) == (2, True, True)
