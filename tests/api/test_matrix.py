"""Who may call what: every role at every route over HTTP, against a table in which each cell is written down."""

from __future__ import annotations

import re

import pytest

from tests.api.asking import Ask
from tests.api.hall import CLINIC, Hall, grant_of
from uhi.api.routes import READING
from uhi.identity.roles import AccessRole, Permission

ROLES = (
    *("registry.viewer", "registry.reviewer", "registry.admin", "gateway.operator", "subscriber.owner"),
    *("subscriber.developer", "hospital.operator", "hospital.admin", "hospital.frontdesk", "clinician", "finance"),
    *("patient", "auditor"),
)
COLUMNS = (*ROLES, "service", "nobody")
CODES = {
    "IAM_ACCESS_DENIED": "-",
    "IAM_SIGN_IN_REQUIRED": "0",
    "IAM_SECOND_FACTOR_REQUIRED": "2",
    "IAM_FRESH_SIGN_IN_REQUIRED": "f",
    "API_REQUEST_INVALID": "+",
}
"""What a cell says. Each request carries a name that nobody knows: whom the rule lets through gets no further."""

# One column a role, as in COLUMNS; then what else the route takes: 2 two factors, f a fresh sign-in.
TABLE = """
    GET    /.well-known/jwks.json               +++++++++++++++
    GET    /openapi.json                        +++++++++++++++
    DELETE /v1/account                          +++++++++++++-0 f
    GET    /v1/account                          +++++++++++++-0
    PATCH  /v1/account                          +++++++++++++-0
    POST   /v1/account/email                    +++++++++++++-0 f
    POST   /v1/account/email/confirm            +++++++++++++-0 f
    POST   /v1/account/factors/recovery-codes   +++++++++++++-0 f
    DELETE /v1/account/factors/sms              +++++++++++++-0 f
    POST   /v1/account/factors/sms              +++++++++++++-0 f
    POST   /v1/account/factors/sms/confirm      +++++++++++++-0 f
    DELETE /v1/account/factors/totp             +++++++++++++-0 f
    POST   /v1/account/factors/totp             +++++++++++++-0 f
    POST   /v1/account/factors/totp/confirm     +++++++++++++-0 f
    POST   /v1/account/password                 +++++++++++++-0
    POST   /v1/account/phone                    +++++++++++++-0 f
    POST   /v1/account/phone/confirm            +++++++++++++-0 f
    POST   /v1/accounts                         +++++++++++++++
    POST   /v1/accounts/confirm                 +++++++++++++++
    GET    /v1/api-keys                         --+-++-+------0 2
    POST   /v1/api-keys                         --+-++-+------0 2f
    DELETE /v1/api-keys/{id}                    --+-++-+------0 2f
    GET    /v1/audit                            ------------+-0 2
    GET    /v1/audit/head                       ------------+-0 2
    POST   /v1/confirm                          +++++++++++++-0
    POST   /v1/confirm/second-factor            +++++++++++++-0
    GET    /v1/csrf-token                       +++++++++++++-0
    POST   /v1/invitations/accept               +++++++++++++++
    POST   /v1/password/forgotten               +++++++++++++++
    POST   /v1/password/reset                   +++++++++++++++
    GET    /v1/sessions                         +++++++++++++-0
    DELETE /v1/sessions/{id}                    +++++++++++++-0
    POST   /v1/sign-in                          +++++++++++++++
    POST   /v1/sign-in/code                     +++++++++++++++
    POST   /v1/sign-in/second-factor            +++++++++++++++
    POST   /v1/sign-out                         +++++++++++++-0
    POST   /v1/sign-out/everywhere              +++++++++++++-0
    GET    /v1/staff                            --+-+-++------0 2
    POST   /v1/staff                            --+-+-++------0 2
    GET    /v1/staff/{id}                       --+-+-++------0 2
    POST   /v1/staff/{id}/close                 --+-+-++------0 2
    DELETE /v1/staff/{id}/grants                --+-+-++------0 2
    POST   /v1/staff/{id}/grants                --+-+-++------0 2
    POST   /v1/staff/{id}/reopen                --+-+-++------0 2
    PUT    /v1/staff/{id}/ties                  --+-+-++------0 2
    POST   /v1/staff/{id}/unlock                --+-+-++------0 2
    POST   /v1/token/refresh                    +++++++++++++++
"""
WANTED = {
    (method, path): (cells, "".join(marks))
    for method, path, cells, *marks in map(str.split, TABLE.strip().splitlines())
}


@pytest.fixture
async def staffed(hall: Hall) -> Hall:
    """The interface with one person of every role."""
    for name in ROLES:
        await hall.person(name.replace(".", "-"), grant_of(AccessRole(name)))
    return hall


async def cells(hall: Hall, ask: Ask, headers: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    """What each of these callers is answered at every route."""
    found: dict[tuple[str, str], str] = {}
    for route in (route for group in hall.groups for route in group.all):
        path = re.sub(r"{\w+}", "x", route.path)
        asked = (f"{path}?unknown=1", {}) if route.method in READING else (path, {"json": {"unknown": 1}})
        got = [await ask(route.method, asked[0], headers=each, **asked[1]) for each in headers]
        found[route.method, route.path] = "".join(CODES.get(each.json["code"], "?") for each in got)
    return found


async def test_every_role_at_every_route(staffed, ask_hall):
    """Security rules, IAM: a table-driven test of role and endpoint; a new route without a row fails."""
    headers = [await staffed.token(who) for who in staffed.people.values()]
    service = await staffed.key(staffed.people["subscriber-owner"], CLINIC, Permission.SUBSCRIBER_OWN)

    found = await cells(staffed, ask_hall, [*headers, service, {}])

    assert found == {route: wanted for route, (wanted, _) in WANTED.items()}


async def test_every_role_without_a_second_factor(staffed, ask_hall):
    """Security rules, IAM: staff and administrators take two factors."""
    headers = [await staffed.token(who, methods=("pwd",)) for who in staffed.people.values()]

    found = await cells(staffed, ask_hall, headers)

    assert found == {
        route: wanted[: len(ROLES)].replace("+", "2" if "2" in marks else "+")
        for route, (wanted, marks) in WANTED.items()
    }


async def test_every_role_with_a_sign_in_of_some_minutes_ago(staffed, ask_hall):
    """Security rules, IAM: keys, factors and addresses are changed within five minutes of a full sign-in."""
    headers = [await staffed.token(who, ago=301.0) for who in staffed.people.values()]

    found = await cells(staffed, ask_hall, headers)

    assert found == {
        route: wanted[: len(ROLES)].replace("+", "f" if "f" in marks else "+")
        for route, (wanted, marks) in WANTED.items()
    }


def test_table_has_a_column_for_every_role():
    """Ours: a new role needs its column."""
    assert set(ROLES) == {role.value for role in AccessRole} - {"service"}
    assert {len(wanted) for wanted, _ in WANTED.values()} == {len(COLUMNS)}
