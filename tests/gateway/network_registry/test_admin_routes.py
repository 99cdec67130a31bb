"""The registry's administration over HTTP: who may call what, what is shown to whom, and no private key anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from hashlib import sha256

import aiohttp
import pytest

from gateway.network_registry.admin_routes import RegistryDesk
from gateway.network_registry.register import Register
from tests.api.asking import Ask, application_of, asker
from tests.api.ward import OWN, Trail
from tests.gateway.network_registry.applying import RULES, Applicant, person
from uhi.api.doorkeeper import Doorkeeper, Pace
from uhi.api.origins import Sites
from uhi.api.serving import Surroundings
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.http import ServerLimits, serve
from uhi.identity import Grant, Permission, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.signals.local import LocalWindows
from uhi.signing.beckn_challenge import new_private_key
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock
from uhi.testing.clock import START

CALLERS = (*(role.value for role in AccessRole if role is not AccessRole.SERVICE), "service", "nobody")
NAMES = {403: "-", 401: "0", 404: "?", 400: "+", 200: "+"}
# One column a caller, as in CALLERS; the person has just signed in with two factors. Bodies are of no form that fits.
TABLE = """
    GET  /v1/subscribers                       +++----------+0
    GET  /v1/subscribers/{id}                  +++----------+0
    GET  /v1/changes                           +++----------+0
    GET  /v1/export                            --+-----------0
    POST /v1/subscribers/{id}/review           -++-----------0
    POST /v1/subscribers/{id}/approve          --+-----------0
    POST /v1/subscribers/{id}/decline          --+-----------0
    POST /v1/subscribers/{id}/suspend          --+-----------0
    POST /v1/subscribers/{id}/resume           --+-----------0
    POST /v1/subscribers/{id}/revoke           --+-----------0
    POST /v1/subscribers/{id}/keys/{key_id}/revoke  --+-----------0
"""
CELLS = [(line.split()[0], line.split()[1], line.split()[2]) for line in TABLE.strip().splitlines()]


class Badges:
    """Stands in for tokens: each is the role, name, tenant and factors of who has it, with colons between them."""

    async def by_token(self, token: str) -> Principal:
        """Whoever the token says."""
        if token == "service":
            scopes = frozenset({Permission.REGISTRY_READ})
            return Principal(kind=PrincipalKind.SERVICE, id="key-1", scopes=scopes)
        role, name, tenant, how = (*token.split(":"), "", "", "")[:4]
        found = AccessRole.read(role)
        if found is None:
            raise Refusal(TOKEN_INVALID)
        return Principal(
            kind=PrincipalKind.PERSON,
            id=name or "someone",
            grants=frozenset({Grant(found, tenant)}),
            has_second_factor=how != "one-factor",
            signed_in_at=START - (600 if how == "earlier" else 0),
        )


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves only when it is told to."""
    return FakeClock(jumps=False)


@pytest.fixture
async def register(sqlite_url: str, clock: FakeClock) -> AsyncIterator[Register]:
    """A register without entries."""
    database = Database.open(sqlite_url, clock=clock)
    opened = Register(database, RULES, clock=clock)
    await opened.open()
    yield opened
    await database.aclose()


@pytest.fixture
async def ask(register: Register, clock: FakeClock) -> AsyncIterator[Ask]:
    """Asks the administration."""
    doorkeeper = Doorkeeper(proofs=Badges(), sites=Sites(own=OWN), windows=LocalWindows(clock), pace=Pace(10**6, 10**6))
    around = Surroundings(doorkeeper=doorkeeper, trail=Trail(), clock=clock, limits=ServerLimits())
    group = RegistryDesk(register, clock=clock, names=names).routes()
    async with serve(application_of([group], around)) as server, aiohttp.ClientSession() as session:
        yield asker(session, server.url)


@pytest.fixture
def clinic(register: Register) -> Applicant:
    """A hospital that wants to take part, as a Beckn peer."""
    return Applicant("clinic.example", register, encryption_key=new_private_key())


async def names(ids: Collection[str]) -> Mapping[str, str]:
    """The e-mail addresses of those accounts that exist; ada's was deleted."""
    return {each: f"{each}@registry.example" for each in ids if each != "ada"}


def by(token: str, body: dict[str, str] | None = None) -> dict[str, object]:
    """A request of whoever has this token, without a body where none is given."""
    headers = {"Authorization": f"Bearer {token}"} if token != "nobody" else {}
    return {"headers": headers, **({"json": body} if body is not None else {})}


def test_the_table_has_every_route(register, clock):
    """Security rules "IAM": a new route without a row fails."""
    routes = RegistryDesk(register, clock=clock, names=names).routes().all

    assert {(route.method, route.path) for route in routes} == {(method, path) for method, path, _ in CELLS}


@pytest.mark.case("REG-08")
@pytest.mark.parametrize(("method", "path", "row"), CELLS)
async def test_every_role_at_every_route(ask, method, path, row):
    """Security rules "IAM": role × route; without token 401, with a subscriber's or any other role 403."""
    at = path.format(id="clinic.example", key_id="k1")
    options = {"params": {"unknown": "1"}} if method == "GET" else {"json": {"unknown": "1"}}

    got = [(await ask(method, at, **(by(caller) | options))).status for caller in CALLERS]

    assert "".join(NAMES[status] for status in got) == row


@pytest.mark.case("REG-08")
@pytest.mark.parametrize(("method", "path", "_row"), CELLS)
async def test_a_role_in_a_hospital_counts_for_nothing_here(ask, method, path, _row):
    """Security rules "IAM": tenant matches; what is foreign is not there."""
    at = path.format(id="clinic.example", key_id="k1")
    empty = {"pending_id": "p"} if path.endswith(("review", "approve")) else {"reason": "none at all"}
    body = None if method == "GET" else empty

    got = await ask(method, at, **by("registry.admin:eve:some hospital", body))

    assert got.status == 404


@pytest.mark.parametrize(("method", "path", "row"), [each for each in CELLS if each[2].startswith("--+")])
async def test_decisions_take_two_factors(ask, method, path, row):
    """Security rules "IAM": registry.admin with MFA."""
    got = await ask(method, path.format(id="a", key_id="k1"), **by("registry.admin:ada::one-factor"))

    assert got.json["code"] == "IAM_SECOND_FACTOR_REQUIRED"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/export"),
        *(("POST", f"/v1/subscribers/a/{step}") for step in ("approve", "revoke", "keys/k1/revoke")),
    ],
)
async def test_exports_and_key_changes_take_a_fresh_sign_in(ask, method, path):
    """Security rules "IAM", step-up: fresh within 5 min for exports, and for what brings keys in or ends them."""
    got = await ask(method, path, **by("registry.admin:ada::earlier"))

    assert got.json["code"] == "IAM_FRESH_SIGN_IN_REQUIRED"


@pytest.mark.parametrize("step", ["decline", "suspend", "resume"])
async def test_what_changes_no_key_takes_no_fresh_sign_in(ask, step):
    """Ours: a member can be suspended at once, without signing in once more."""
    got = await ask("POST", f"/v1/subscribers/a/{step}", **by("registry.admin:ada::earlier", {"reason": "an incident"}))

    assert got.json["code"] == "API_RECORD_MISSING"


@pytest.mark.case("IAM-16")
async def test_one_administrator_is_not_two_over_http(ask, clinic):
    """Case IAM-16: the same admin twice is 403 until a second one."""
    await clinic.apply()
    waiting = await clinic.prove()
    at = "/v1/subscribers/clinic.example/"

    answers = [
        await ask("POST", at + what, **by(token, {"pending_id": waiting.pending.id}))
        for what, token in (
            ("review", "registry.reviewer:rita"),
            ("approve", "registry.admin:ada"),
            ("approve", "registry.admin:ada"),
            ("approve", "registry.admin:bob"),
        )
    ]

    assert [each.status for each in answers] == [200, 200, 403, 200]
    assert answers[2].json["code"] == "IAM_ANOTHER_PERSON_REQUIRED"
    assert answers[3].json["status"] == "SUBSCRIBED"


async def test_nobody_approves_what_they_have_not_seen(ask, clinic):
    """Registry rules: what was exchanged after somebody looked at it is not decided about."""
    await clinic.apply()
    looked_at = await clinic.prove()
    await clinic.apply(legal_name="Another hospital")
    await clinic.prove()
    at = "/v1/subscribers/clinic.example/review"

    stale = await ask("POST", at, **by("registry.reviewer:rita", {"pending_id": looked_at.pending.id}))
    blind = await ask("POST", at, **by("registry.reviewer:rita", {}))

    assert (stale.status, blind.status) == (409, 400)


@pytest.mark.case("REG-08")
async def test_no_answer_holds_a_private_key(ask, clinic):
    """Case REG-08: scan all responses for private keys."""
    await clinic.join()
    await clinic.add_key("k2")
    reason = {"reason": "a reason"}
    at = "/v1/subscribers/clinic.example"

    texts = [
        (await ask(method, path, **by("registry.admin:zoe", body))).text
        for method, path, body in (
            *(("GET", each, None) for each in ("/v1/subscribers", at, "/v1/changes", "/v1/export")),
            *(("POST", f"{at}/{step}", reason) for step in ("suspend", "resume", "keys/k1/revoke", "revoke")),
        )
    ]

    secrets = [text for key in clinic.keys.values() for text in (key.seed_base64(), key.pkcs8_base64())]
    assert [each for each in (*secrets, clinic.encryption_key, RULES.encryption_key) if each in "".join(texts)] == []
    assert all(clinic.keys["k1"].public.raw_base64() in text for text in (texts[0], texts[1], texts[3]))


async def test_a_viewer_sees_who_decided_and_what_to_compare(ask, clinic, register):
    """Ours: approvers by their e-mail addresses where these are known, keys by a fingerprint one can read out."""
    await clinic.apply()
    await clinic.prove()
    await register.review(clinic.id, acting=person("rita"))
    await register.approve(clinic.id, acting=person("ada"))
    [key] = clinic.keys.values()

    shown = (await ask("GET", "/v1/subscribers/clinic.example", **by("registry.viewer"))).json["pending"]

    assert (shown["reviewed_by"], shown["approved_by"]) == ("rita", ["ada"])
    assert shown["people"] == {"rita": "rita@registry.example"}
    digest = sha256(key.public.raw).hexdigest()
    assert shown["keys"][0]["fingerprint"] == f"{digest[:4]} {digest[4:8]} {digest[8:12]} {digest[12:16]}"


async def test_a_viewer_sees_no_contact(ask, clinic):
    """Contract: contact data for reviewers and administrators."""
    await clinic.apply()
    at = "/v1/subscribers/clinic.example"

    viewer, reviewer = [await ask("GET", at, **by(each)) for each in ("registry.viewer", "registry.reviewer")]

    assert viewer.json["entry"]["contact_email"] is viewer.json["pending"]["wanted"]["contact_email"] is None
    assert reviewer.json["entry"]["contact_email"] == "it@clinic.example"


async def test_lists_are_filtered_and_paged(ask, register):
    """Contract: `GET /v1/subscribers?status=&role=&q=&page=`."""
    for name in ("a.example", "b.example"):
        await Applicant(name, register).apply()
    viewer = by("registry.viewer")

    found = await ask("GET", "/v1/subscribers", params={"q": "B.EX", "role": "provider", "page": "1"}, **viewer)
    beyond = await ask("GET", "/v1/subscribers", params={"status": "INITIATED", "page": "2"}, **viewer)
    changes = await ask("GET", "/v1/changes", params={"after": "1"}, **viewer)

    assert [each["subscriber_id"] for each in found.json["subscribers"]] == ["b.example"]
    assert (beyond.json["subscribers"], beyond.json["total"], beyond.json["pages"]) == ([], 2, 1)
    assert [each["seq"] for each in changes.json["changes"]] == [2]
