"""Who may call what of a hospital: every role at every route over HTTP, each cell of the table written down.

Signing in, accounts, staff, keys and audit are in the table of `tests/api/test_matrix.py`.
"""

from __future__ import annotations

import re

import pytest

from tests.api.test_matrix import CODES, COLUMNS, ROLES
from tests.participants.hospital.house import House
from uhi.api import identity_routes
from uhi.api.routes import READING, Route
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole, Permission

OF_THE_PROGRAM = {name for name in ROLES if name.startswith(("registry.", "gateway.", "hospital.operator"))}

# One column a role, as in COLUMNS; the program's key has the scope appointments.desk. 2: staff take two factors.
TABLE = """
    GET    /openapi.json                                 +++++++++++++++
    GET    /v1/appointments                              -------++----+0 2
    GET    /v1/appointments/{id}                         -------++----+0 2
    POST   /v1/appointments/{id}/cancel                  -------++----+0 2
    POST   /v1/appointments/{id}/complete                -------++----+0 2
    POST   /v1/appointments/{id}/documents               -------++----+0 2
    GET    /v1/appointments/{id}/messages                -------++----+0 2
    POST   /v1/appointments/{id}/messages                -------++----+0 2
    POST   /v1/appointments/{id}/messages/read           -------++----+0 2
    POST   /v1/appointments/{id}/move                    -------++----+0 2
    POST   /v1/appointments/{id}/no-show                 -------++----+0 2
    POST   /v1/appointments/{id}/override                -------++----+0 2
    POST   /v1/appointments/{id}/pin                     -------++----+0 2
    POST   /v1/appointments/{id}/consent                 -------++----+0 2
    POST   /v1/appointments/{id}/presence                -------++----+0 2
    POST   /v1/appointments/{id}/start                   -------++----+0 2
    GET    /v1/attention                                 -------++----+0 2
    POST   /v1/attention/{id}/acknowledge                -------++----+0 2
    GET    /v1/clinic/appointments                       ---------+----0 2
    GET    /v1/clinic/appointments/{id}                  ---------+----0 2
    POST   /v1/clinic/appointments/{id}/complete         ---------+----0 2
    POST   /v1/clinic/appointments/{id}/documents        ---------+----0 2
    GET    /v1/clinic/appointments/{id}/messages         ---------+----0 2
    POST   /v1/clinic/appointments/{id}/messages         ---------+----0 2
    POST   /v1/clinic/appointments/{id}/messages/read    ---------+----0 2
    POST   /v1/clinic/appointments/{id}/consent          ---------+----0 2
    POST   /v1/clinic/appointments/{id}/presence         ---------+----0 2
    GET    /v1/clinic/appointments/{id}/join             ---------+----0 2
    POST   /v1/clinic/appointments/{id}/start            ---------+----0 2
    GET    /v1/departments                               ------++++----0 2
    POST   /v1/departments                               -------+------0 2
    GET    /v1/departments/{id}                          ------++++----0 2
    PATCH  /v1/departments/{id}                          -------+------0 2
    POST   /v1/departments/{id}/activate                 -------+------0 2
    POST   /v1/departments/{id}/deactivate               -------+------0 2
    GET    /v1/exports/practitioners                     ------++++----0 2
    GET    /v1/files/{id}                                +++++++++++++++
    GET    /v1/holidays                                  ------++++----0 2
    POST   /v1/holidays                                  -------+------0 2
    DELETE /v1/holidays/{id}                             -------+------0 2
    PUT    /v1/holidays/{id}                             -------+------0 2
    POST   /v1/imports/practitioners                     -------+------0 2
    GET    /v1/leave                                     ------++++----0 2
    POST   /v1/leave                                     -------+------0 2
    DELETE /v1/leave/{id}                                -------+------0 2
    PUT    /v1/leave/{id}                                -------+------0 2
    GET    /v1/locations                                 ------++++----0 2
    POST   /v1/locations                                 -------+------0 2
    GET    /v1/locations/{id}                            ------++++----0 2
    PATCH  /v1/locations/{id}                            -------+------0 2
    POST   /v1/locations/{id}/activate                   -------+------0 2
    POST   /v1/locations/{id}/deactivate                 -------+------0 2
    GET    /v1/organisations                             ------++++----0 2
    POST   /v1/organisations                             ------+-------0 2
    GET    /v1/organisations/{id}                        ------++++----0 2
    PATCH  /v1/organisations/{id}                        -------+------0 2
    POST   /v1/organisations/{id}/admins                 ------+-------0 2
    POST   /v1/organisations/{id}/resume                 ------+-------0 2
    POST   /v1/organisations/{id}/return                 ------+-------0 2
    POST   /v1/organisations/{id}/submit                 -------+------0 2
    POST   /v1/organisations/{id}/suspend                ------+-------0 2
    POST   /v1/organisations/{id}/verify                 ------+-------0 2
    GET    /v1/practices                                 ------++++----0 2
    POST   /v1/practices                                 -------+------0 2
    GET    /v1/practices/{id}                            ------++++----0 2
    PATCH  /v1/practices/{id}                            -------+------0 2
    POST   /v1/practices/{id}/activate                   -------+------0 2
    GET    /v1/practices/{id}/closed                     ------++++----0 2
    DELETE /v1/practices/{id}/closed/{slot}              -------+------0 2
    POST   /v1/practices/{id}/deactivate                 -------+------0 2
    GET    /v1/practices/{id}/exceptions                 ------++++----0 2
    DELETE /v1/practices/{id}/exceptions/{day}           -------+------0 2
    PUT    /v1/practices/{id}/exceptions/{day}           -------+------0 2
    GET    /v1/practices/{id}/schedule                   ------++++----0 2
    PUT    /v1/practices/{id}/schedule                   -------+------0 2
    GET    /v1/practices/{id}/slots                      ------++++----0 2
    GET    /v1/practitioners                             ------++++----0 2
    POST   /v1/practitioners                             -------+------0 2
    GET    /v1/practitioners/{id}                        ------++++----0 2
    PATCH  /v1/practitioners/{id}                        -------+------0 2
    POST   /v1/practitioners/{id}/activate               -------+------0 2
    POST   /v1/practitioners/{id}/deactivate             -------+------0 2
    DELETE /v1/practitioners/{id}/photo                  -------+------0 2
    GET    /v1/practitioners/{id}/photo                  ------++++----0 2
    PUT    /v1/practitioners/{id}/photo                  -------+------0 2
    GET    /v1/services                                  ------++++----0 2
    POST   /v1/services                                  -------+------0 2
    GET    /v1/services/{id}                             ------++++----0 2
    PATCH  /v1/services/{id}                             -------+------0 2
    POST   /v1/services/{id}/activate                    -------+------0 2
    POST   /v1/services/{id}/deactivate                  -------+------0 2
    GET    /v1/specialities                              ------++++----0 2
    POST   /v1/specialities                              -------+------0 2
    GET    /v1/specialities/{id}                         ------++++----0 2
    PATCH  /v1/specialities/{id}                         -------+------0 2
    POST   /v1/specialities/{id}/activate                -------+------0 2
    POST   /v1/specialities/{id}/deactivate              -------+------0 2
"""
WANTED = {
    (method, path): (cells, "".join(marks))
    for method, path, cells, *marks in map(str.split, TABLE.strip().splitlines())
}


def routes_of(house: House) -> list[Route]:
    """The hospital's own routes."""
    people = house.program.people
    known = {route.name for group in identity_routes(people.parts, people.trail) for route in group.all}
    return [route for group in house.program.routes() for route in group.all if route.name not in known]


async def headers_of(house: House, methods: tuple[str, ...] = ("pwd", "otp")) -> list[dict[str, str]]:
    """Somebody of every role, in the order of the columns."""
    tenants = {name: "" if name in OF_THE_PROGRAM else house.city for name in ROLES}
    return [await house.person(Grant(AccessRole(name), tenants[name]), methods=methods) for name in ROLES]


async def cells(house: House, headers: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    """What each of these callers is answered at every route."""
    found: dict[tuple[str, str], str] = {}
    for route in routes_of(house):
        path = re.sub(r"{\w+}", "x", route.path)
        asked = (f"{path}?unknown=1", {}) if route.method in READING else (path, {"json": {"unknown": 1}})
        got = [await house.ask(route.method, asked[0], headers=each, **asked[1]) for each in headers]
        found[route.method, route.path] = "".join(CODES.get(each.json["code"], "?") for each in got)
    return found


@pytest.mark.case("IAM-03")
async def test_every_role_at_every_route(house):
    """Security rules, IAM: a table-driven test of role and endpoint; a new route without a row fails."""
    headers = [*await headers_of(house), await house.service(house.city, Permission.APPOINTMENTS_DESK), {}]

    found = await cells(house, headers)

    assert found == {route: wanted for route, (wanted, _) in WANTED.items()}


async def test_every_role_without_a_second_factor(house):
    """Security rules, IAM: staff take two factors; of patients' data nothing is seen with one."""
    found = await cells(house, await headers_of(house, methods=("pwd",)))

    assert found == {
        route: wanted[: len(ROLES)].replace("+", "2" if "2" in marks else "+")
        for route, (wanted, marks) in WANTED.items()
    }


async def test_every_look_at_patients_is_marked_as_one(house):
    """Security rules, "Audit log": each read of patient data is a row; no route of the desk is without the mark."""
    of_patients = {Permission.APPOINTMENTS_DESK, Permission.APPOINTMENTS_CLINICAL}

    marked = {route.path for route in routes_of(house) if route.rule.reads_patients}
    named = {route.path for route in routes_of(house) if route.rule.permission in of_patients}

    # What needs attention names orders, and nobody.
    assert named - marked == {"/v1/attention", "/v1/attention/{id}/acknowledge"}


def test_table_has_a_column_for_every_caller():
    """Ours: a new role needs its column."""
    assert {len(wanted) for wanted, _ in WANTED.values()} == {len(COLUMNS)}
