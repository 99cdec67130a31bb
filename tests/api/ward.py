"""A small interface with one route of each kind, and stand-ins that remember what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import Field

from uhi.api.doorkeeper import Doorkeeper, Pace
from uhi.api.origins import Sites
from uhi.api.routes import Answer, Body, Call, Nothing, Routes, Sent, SessionCookie
from uhi.api.serving import Surroundings
from uhi.audit import Entry
from uhi.errors import Refusal
from uhi.faults import OVERLOADED, STATE_REFUSED, TOKEN_INVALID
from uhi.http import ServerLimits
from uhi.identity import Grant, Permission, Principal, PrincipalKind, Relation, Rule, Target
from uhi.identity.roles import AccessRole
from uhi.identity.rules import PUBLIC
from uhi.identity.sessions import Browsing
from uhi.signals.local import LocalWindows
from uhi.testing import FakeClock

OWN = "https://clinic.example"
FRIEND = "https://portal.example"
EVIL = "https://evil.example"
PATIENT = Principal(
    kind=PrincipalKind.PERSON,
    id="acc-1",
    grants=frozenset({Grant(AccessRole.PATIENT)}),
    patient_id="pat-1",
    session_id="ses-1",
)
MACHINE = Principal(kind=PrincipalKind.SERVICE, id="key-1", scopes=frozenset({Permission.REGISTRY_READ}))

ward = Routes("ward")


class Note(Body):
    text: str = Field(max_length=20)
    urgent: bool = False


class Kept(Answer):
    text: str
    by: str


class Search(Body):
    page: int = Field(default=1, ge=1)
    q: str = ""


@ward.route("POST", "/v1/notes", Rule(Permission.RECORDS_OWN), body=Note, answer=Kept, status=201, size=1_000)
async def add_note(call: Call[Note]) -> Kept:
    """Keep a note."""
    return Kept(text=call.body.text, by=call.principal.id)


@ward.route("GET", "/v1/notes", Rule(Permission.REGISTRY_READ), body=Search, answer=Kept)
async def find_notes(call: Call[Search]) -> Kept:
    """Search notes."""
    return Kept(text=f"{call.body.q} {call.body.page}", by=call.principal.id)


@ward.route(
    "GET",
    "/v1/records/{id}",
    Rule(Permission.RECORDS_OWN, Relation.OWN_RECORD, reads_patients=True),
    body=Nothing,
    answer=Kept,
)
async def read_record(call: Call[Nothing]) -> Kept:
    """One patient's record."""
    call.permit(Target(patient_id=call.path["id"]))
    return Kept(text="fever", by=call.principal.id)


@ward.route("POST", "/v1/enter", PUBLIC, body=Nothing, answer=Kept)
async def enter(call: Call[Nothing]) -> Sent[Kept]:
    """Get a cookie."""
    return Sent(Kept(text="welcome", by=call.principal.id), SessionCookie("cookie-9", 60))


@ward.route("DELETE", "/v1/notes", Rule(Permission.RECORDS_OWN), body=Nothing, answer=None)
async def drop_notes(_: Call[Nothing]) -> None:
    """Forget all notes."""


@ward.route("GET", "/v1/broken", PUBLIC, body=Nothing, answer=Kept)
async def break_down(_: Call[Nothing]) -> Kept:
    """Fail in an unforeseen way."""
    raise RuntimeError("secret 98765 43210")


@ward.route("GET", "/v1/closed", PUBLIC, body=Nothing, answer=Kept, refuses=(STATE_REFUSED,))
async def closed(_: Call[Nothing]) -> Kept:
    """Refuse."""
    raise Refusal(STATE_REFUSED, "the secret 98765 is closed", path="state", expected="an open one")


@dataclass
class Trail:
    """Stands in for the audit trail."""

    written: list[Entry] = field(default_factory=list)
    is_full: bool = False

    async def write(self, *entries: Entry) -> None:
        if self.is_full:
            raise Refusal(OVERLOADED)
        self.written.extend(entries)

    def later(self, entry: Entry) -> None:
        self.written.append(entry)


class Badges:
    """Stands in for tokens, keys and sessions: each has one that is good."""

    async def by_token(self, token: str) -> Principal:
        return _only(token, "token-1", PATIENT)

    async def by_key(self, key: str) -> Principal:
        return _only(key, "uhi_live_1_x", MACHINE)

    async def by_cookie(self, cookie: str) -> Browsing:
        return Browsing(_only(cookie, "cookie-1", PATIENT), "csrf-1")


def _only(given: str, good: str, principal: Principal) -> Principal:
    if given != good:
        raise Refusal(TOKEN_INVALID)
    return principal


def surroundings(trail: Trail, clock: FakeClock, *, pace: Pace = Pace()) -> Surroundings:  # noqa: B008
    """Everything around the routes, with a body timer that is short enough to run out in a test."""
    sites = Sites(own=OWN, others=frozenset({FRIEND}))
    doorkeeper = Doorkeeper(proofs=Badges(), sites=sites, windows=LocalWindows(clock), pace=pace)
    return Surroundings(doorkeeper=doorkeeper, trail=trail, clock=clock, limits=ServerLimits(body_seconds=0.2))


def slower(around: Surroundings, pace: Pace) -> Surroundings:
    """The same with another pace."""
    return replace(around, doorkeeper=replace(around.doorkeeper, pace=pace))


def codes(entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """Actor, action and reason of each entry."""
    return [(entry.actor, entry.action, entry.reason) for entry in entries]
