"""Identity over HTTP as people use it: from the first letter to the last session, and what is refused on the way."""

from __future__ import annotations

import re

import pyotp
import pytest

from tests.api.hall import CLINIC, OWN, PASSWORD, bearer, grant_of
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

ASHA = {"email": "asha@example.in", "password": PASSWORD, "name": "Asha Rao"}
PATIENT = Grant(AccessRole.PATIENT, "patients")


def code_in(letter) -> str:
    """The code of six digits in a letter."""
    return re.search(r"\b\d{6}\b", letter.text)[0]


async def sign_in(ask, email: str = "asha@clinic.example", *, browser: bool = False):
    """The answer to a password."""
    return await ask("POST", "/v1/sign-in", json={"email": email, "password": PASSWORD, "browser": browser})


@pytest.fixture
async def asha(hall):
    """A patient with a password."""
    return await hall.person("asha", PATIENT, password=PASSWORD)


async def test_patient_makes_an_account_and_signs_in(hall, ask_hall):
    """Ours: the account is there once the code that went to the address came back."""
    begun = await ask_hall("POST", "/v1/accounts", json=ASHA)
    await hall.parts.notices.done()
    code = code_in(hall.letters.to("asha@example.in")[0])
    made = await ask_hall("POST", "/v1/accounts/confirm", json={"ticket": begun.json["ticket"], "code": code})
    entered = await sign_in(ask_hall, "asha@example.in")
    own = await ask_hall("GET", "/v1/account", headers=bearer(entered.json["session"]["access_token"]))

    assert (begun.status, made.status, entered.status) == (202, 204, 200)
    assert own.json["grants"] == [{"role": "patient", "tenant": "patients"}]
    assert (own.json["name"], own.json["is_email_verified"]) == ("Asha Rao", True)


async def test_no_answer_tells_whether_an_address_has_an_account(hall, ask_hall, asha):
    """Security rules, IAM: sign-up, sign-in and a forgotten password are answered alike for known and unknown."""
    known, unknown = "asha@clinic.example", "nobody@clinic.example"

    begun = [await ask_hall("POST", "/v1/accounts", json={**ASHA, "email": email}) for email in (known, unknown)]
    wrong = [
        await ask_hall("POST", "/v1/sign-in", json={"email": email, "password": "another one entirely"})
        for email in (known, unknown)
    ]
    forgotten = [await ask_hall("POST", "/v1/password/forgotten", json={"email": each}) for each in (known, unknown)]

    assert [got.status for got in begun] == [202, 202]
    assert [len(got.json["ticket"]) for got in begun] == [43, 43]
    assert [(got.status, got.json["code"], got.json["errors"]) for got in wrong] == [
        (401, "IAM_SIGN_IN_FAILED", [])
    ] * 2
    assert [(got.status, got.text) for got in forgotten] == [(202, "")] * 2


@pytest.mark.case("IAM-04")
@pytest.mark.parametrize(
    "extra",
    [
        {"role": "registry.admin"},
        {"grants": [{"role": "registry.admin", "tenant": ""}]},
        {"tenant": CLINIC},
        {"tenant_id": CLINIC},
        {"state": "CLOSED"},
        {"id": "acc-other"},
        {"owner": "acc-other"},
        {"patient_id": "pat-other"},
        {"email": "new@example.in"},
        {"is_email_verified": True},
        {"second_factors": []},
        {"amount": 0},
    ],
)
async def test_nobody_sets_what_is_not_theirs_to_set(hall, ask_hall, asha, extra):
    """IAM-04: a name that the route does not know refuses the whole request, and nothing is changed."""
    token = await hall.token(asha)
    before = await ask_hall("GET", "/v1/account", headers=token)

    changed = await ask_hall("PATCH", "/v1/account", headers=token, json={"name": "Other", **extra})
    begun = await ask_hall("POST", "/v1/accounts", json={**ASHA, "role": "registry.admin"})

    assert (changed.status, begun.status) == (400, 400)
    assert (await ask_hall("GET", "/v1/account", headers=token)).json == before.json


async def test_authenticator_app_is_set_up_and_asked_for(hall, ask_hall, asha):
    """Security rules, IAM: TOTP, with recovery codes shown once; afterwards a password alone opens nothing."""
    token = await hall.token(asha, methods=("pwd",))
    begun = await ask_hall("POST", "/v1/account/factors/totp", headers=token)
    app = pyotp.TOTP(begun.json["secret"])
    made = await ask_hall(
        "POST", "/v1/account/factors/totp/confirm", headers=token, json={"code": app.at(int(hall.clock.now()))}
    )
    await hall.clock.advance(60)
    asked = await sign_in(ask_hall)
    answer = {"challenge": asked.json["challenge"], "way": "otp", "code": app.at(int(hall.clock.now()))}
    entered = await ask_hall("POST", "/v1/sign-in/second-factor", json=answer)
    again = await ask_hall("POST", "/v1/sign-in/second-factor", json=answer)

    assert (begun.json["uri"][:15], len(made.json["recovery_codes"])) == ("otpauth://totp/", 10)
    assert (asked.json["state"], asked.json["session"]) == ("second factor needed", None)
    assert (entered.json["state"], again.status) == ("signed in", 401)
    assert hall.parts.tokens.read(entered.json["session"]["access_token"], now=hall.clock.now()).has_second_factor


async def test_factor_is_changed_only_after_a_fresh_sign_in(hall, ask_hall, asha):
    """Security rules, IAM: step-up; giving the password again makes the same session fresh."""
    token = await hall.token(asha, methods=("pwd",), ago=1_000.0)

    stale = await ask_hall("POST", "/v1/account/factors/totp", headers=token)
    confirmed = await ask_hall("POST", "/v1/confirm", headers=token, json={"password": PASSWORD})
    fresh = bearer(confirmed.json["session"]["access_token"])
    begun = await ask_hall("POST", "/v1/account/factors/totp", headers=fresh)

    assert (stale.status, stale.json["code"]) == (403, "IAM_FRESH_SIGN_IN_REQUIRED")
    assert (confirmed.json["state"], begun.status) == ("signed in", 200)


@pytest.mark.case("IAM-14")
async def test_browser_signs_in_acts_and_signs_out(ask_hall, asha):
    """Security rules, browser: a `__Host-` cookie no script reads, a CSRF token for what changes something."""
    entered = await sign_in(ask_hall, browser=True)
    pair, *flags = [part.strip() for part in entered.headers["Set-Cookie"].split(";")]
    csrf = entered.json["session"]["csrf_token"]
    mine = {"Cookie": pair, "Origin": OWN, "X-CSRF-Token": csrf}

    bare = await ask_hall("PATCH", "/v1/account", headers={"Cookie": pair, "Origin": OWN}, json={"name": "B"})
    named = await ask_hall("PATCH", "/v1/account", headers=mine, json={"name": "Bela"})
    kept = await ask_hall("GET", "/v1/csrf-token", headers={"Cookie": pair})
    gone = await ask_hall("POST", "/v1/sign-out", headers=mine)
    after = await ask_hall("GET", "/v1/account", headers={"Cookie": pair})

    assert pair.startswith("__Host-uhi=")
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(flags)
    assert entered.json["session"]["access_token"] == ""
    assert (bare.status, named.json["name"], kept.json["csrf_token"]) == (403, "Bela", csrf)
    assert (gone.status, after.status) == (204, 401)
    assert gone.headers["Set-Cookie"].startswith('__Host-uhi=""; ')
    assert "Max-Age=0" in gone.headers["Set-Cookie"]


async def test_app_refreshes_and_a_stolen_token_ends_the_session(hall, ask_hall, asha):
    """IAM-06 over HTTP: each refresh token is exchanged once; an older one closes the session."""
    first = (await sign_in(ask_hall)).json["session"]
    second = await ask_hall("POST", "/v1/token/refresh", json={"refresh_token": first["refresh_token"]})
    await hall.clock.advance(11)
    stolen = await ask_hall("POST", "/v1/token/refresh", json={"refresh_token": first["refresh_token"]})
    last = await ask_hall("POST", "/v1/token/refresh", json={"refresh_token": second.json["refresh_token"]})
    access = await ask_hall("GET", "/v1/account", headers=bearer(second.json["access_token"]))

    assert second.json["session_id"] == first["session_id"]
    assert (second.status, stolen.status, last.status, access.status) == (200, 401, 401, 401)


async def test_sessions_are_listed_and_ended_one_by_one_and_all(hall, ask_hall, asha):
    """Security rules, IAM: a sign-out counts at once, for access tokens too."""
    one, two = await hall.token(asha), await hall.opened(asha)
    listed = await ask_hall("GET", "/v1/sessions", headers=one)

    ended = await ask_hall("DELETE", f"/v1/sessions/{two.session_id}", headers=one)
    gone = await ask_hall("GET", "/v1/account", headers=bearer(two.access_token))
    everywhere = await ask_hall("POST", "/v1/sign-out/everywhere", headers=one)
    after = await ask_hall("GET", "/v1/account", headers=one)

    assert [each["is_current"] for each in listed.json["sessions"]] == [False, True]
    assert (ended.status, gone.status, everywhere.status, after.status) == (204, 401, 204, 401)


async def test_forgotten_password_is_replaced_by_letter(hall, ask_hall, asha):
    """Security rules, IAM: the token of a letter is good once; every session ends."""
    token = await hall.token(asha)
    await hall.clock.advance(1)
    await ask_hall("POST", "/v1/password/forgotten", json={"email": "asha@clinic.example"})
    await hall.parts.notices.done()
    secret = re.search(r"[\w-]{43}", hall.letters.to("asha@clinic.example")[0].text)[0]
    chosen = {"token": secret, "password": "seven lanterns over a quiet hill"}

    reset = await ask_hall("POST", "/v1/password/reset", json=chosen)
    again = await ask_hall("POST", "/v1/password/reset", json=chosen)
    old = await ask_hall("GET", "/v1/account", headers=token)

    assert (reset.status, again.status, old.status) == (204, 400, 401)
    assert again.json["code"] == "IAM_CODE_INVALID"


async def test_weak_password_is_told_what_is_wrong_with_it(ask_hall):
    """Ours: the place and what is expected, never what was sent."""
    got = await ask_hall("POST", "/v1/accounts", json={**ASHA, "password": "short"})

    assert (got.status, got.json["errors"]) == (
        400,
        [{"path": "password", "message": "expected 15 to 128 characters"}],
    )


async def test_administrator_invites_and_the_invited_comes_in(hall, ask_hall):
    """Ours: the invitation's letter is the only way to choose the first password."""
    admin = await hall.token(await hall.person("admin", grant_of(AccessRole.HOSPITAL_ADMIN)))
    asked = {"email": "ravi@clinic.example", "name": "Ravi", "role": "hospital.frontdesk", "tenant": CLINIC}

    invited = await ask_hall("POST", "/v1/staff", headers=admin, json=asked)
    await hall.parts.notices.done()
    token = re.search(r"[\w-]{43}", hall.letters.to("ravi@clinic.example")[0].text)[0]
    accepted = await ask_hall("POST", "/v1/invitations/accept", json={"token": token, "password": PASSWORD})
    entered = await sign_in(ask_hall, "ravi@clinic.example")

    assert (invited.status, invited.json["state"], accepted.status) == (201, "INVITED", 204)
    assert token not in invited.text
    assert entered.json["state"] == "signed in"


async def test_who_works_for_one_organisation_need_not_name_it(hall, ask_hall):
    """Ours: as everywhere else where something is added to one's own organisation."""
    admin = await hall.person("admin", grant_of(AccessRole.HOSPITAL_ADMIN))
    both = await hall.person("both", *(grant_of(AccessRole.HOSPITAL_ADMIN, each) for each in (CLINIC, "other.example")))
    asked = {"email": "ravi@clinic.example", "name": "Ravi", "role": "hospital.frontdesk"}

    invited, unnamed = [
        await ask_hall("POST", "/v1/staff", headers=await hall.token(each), json=asked) for each in (admin, both)
    ]

    assert (invited.status, invited.json["grants"]) == (201, [{"role": "hospital.frontdesk", "tenant": CLINIC}])
    assert (unnamed.status, unnamed.json["errors"][0]["path"]) == (400, "tenant")


@pytest.mark.case("IAM-16")
async def test_nobody_gives_themselves_a_role_nor_more_than_they_may(hall, ask_hall):
    """Security rules, IAM: roles are given by another administrator, and only those of one's own kind."""
    admin = await hall.person("admin", grant_of(AccessRole.HOSPITAL_ADMIN))
    desk = await hall.person("desk", grant_of(AccessRole.HOSPITAL_FRONTDESK))
    token = await hall.token(admin)

    own = await ask_hall(
        "POST", f"/v1/staff/{admin.id}/grants", headers=token, json={"role": "clinician", "tenant": CLINIC}
    )
    more = await ask_hall(
        "POST", f"/v1/staff/{desk.id}/grants", headers=token, json={"role": "subscriber.owner", "tenant": CLINIC}
    )

    assert (own.status, own.json["code"]) == (403, "IAM_ANOTHER_PERSON_REQUIRED")
    assert (more.status, more.json["code"]) == (403, "IAM_ACCESS_DENIED")
    assert (await hall.parts.accounts.get(desk.id)).grants == desk.grants


@pytest.mark.case("IAM-13")
async def test_api_key_is_shown_once_and_ends_when_it_is_revoked(hall, ask_hall):
    """Security rules, IAM: a key has its scopes and no more; what takes a person it never does."""
    owner = await hall.token(await hall.person("owner", grant_of(AccessRole.SUBSCRIBER_OWNER)))
    made = await ask_hall(
        "POST", "/v1/api-keys", headers=owner, json={"name": "robot", "scopes": ["subscriber.own"], "tenant": CLINIC}
    )
    key = bearer(made.json["text"])

    denied = await ask_hall("GET", "/v1/staff", headers=key)
    listed = await ask_hall("GET", "/v1/api-keys", headers=owner)
    revoked = await ask_hall("DELETE", f"/v1/api-keys/{made.json['key']['id']}", headers=owner)
    after = await ask_hall("GET", "/v1/staff", headers=key)
    too_much = await ask_hall("POST", "/v1/api-keys", headers=owner, json={"name": "x", "scopes": ["account.own"]})

    assert (made.status, denied.status, revoked.status, after.status, too_much.status) == (201, 403, 200, 401, 400)
    assert made.json["text"] not in listed.text
    assert revoked.json["revoked_at"] == hall.clock.now()


@pytest.mark.case("REG-08")
async def test_no_answer_of_a_page_for_everybody_holds_a_private_key(ask_hall):
    """Security rules: public halves only."""
    keys = await ask_hall("GET", "/.well-known/jwks.json")
    described = await ask_hall("GET", "/openapi.json")

    assert keys.json["keys"]
    assert {*keys.json["keys"][0]} == {"kty", "n", "e", "kid", "use", "alg"}
    assert (keys.headers["Cache-Control"], described.json["openapi"]) == ("public, max-age=300", "3.1.1")


async def test_wrong_sign_ins_are_audited_and_slowed_down(hall, ask_hall, asha):
    """IAM-08 over HTTP: after ten wrong passwords the eleventh waits, with Retry-After; each is in the trail."""
    wrong = {"email": "asha@clinic.example", "password": "another one entirely"}

    got = [await ask_hall("POST", "/v1/sign-in", json=wrong) for _ in range(11)]

    assert [each.status for each in got] == [401] * 10 + [429]
    assert int(got[-1].headers["Retry-After"]) >= 1
    assert ("nobody", "sign-in", "IAM_SIGN_IN_FAILED") in await hall.actions()
