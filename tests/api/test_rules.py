"""Deny by default: nothing is served that is not a declared route with a rule."""

from __future__ import annotations

import pytest

from tests.api.asking import application_of
from tests.api.ward import ward
from uhi.api.routes import Nothing, Routes
from uhi.errors import SetupError
from uhi.identity import Permission, Relation, Rule
from uhi.identity.rules import PUBLIC

HEALTH_PAGES = {"/healthz", "/readyz", "/version"}
FOR_ANYBODY = {
    "GET /.well-known/jwks.json",
    "GET /openapi.json",
    "POST /v1/accounts",
    "POST /v1/accounts/confirm",
    "POST /v1/invitations/accept",
    "POST /v1/password/forgotten",
    "POST /v1/password/reset",
    "POST /v1/sign-in",
    "POST /v1/sign-in/code",
    "POST /v1/sign-in/second-factor",
    "POST /v1/token/refresh",
}


async def test_every_page_that_is_served_is_a_route_with_a_rule(hall):
    """Security rules, IAM: a route without a rule fails; what the router serves beside them are the health pages."""
    app = application_of(hall.groups, hall.around)
    routes = [route for group in hall.groups for route in group.all]

    served = {resource.canonical for resource in app.router.resources()}

    assert served == {route.path for route in routes} | HEALTH_PAGES
    assert all(type(route.rule) is Rule for route in routes)


async def test_only_these_routes_are_for_anybody(hall):
    """Ours: whoever makes a route public writes it down here too."""
    routes = [route for group in hall.groups for route in group.all]

    public = {f"{route.method} {route.path}" for route in routes if route.rule.permission is None}

    assert public == FOR_ANYBODY
    assert all(route.rule is PUBLIC for route in routes if route.rule.permission is None)


async def test_every_route_to_a_record_ties_it_to_who_asks(hall):
    """Security rules, IAM: role, tenant and relation; a path that names a record has a relation in its rule."""
    routes = [route for group in hall.groups for route in group.all]

    loose = [route.path for route in routes if "{" in route.path and route.rule.relation is Relation.NONE]

    assert loose == []


async def test_every_route_refuses_names_it_does_not_know(hall):
    """Decision 7: `extra=forbid` in our own interfaces, for what is taken and what is given."""
    routes = [route for group in hall.groups for route in group.all]

    assert [route.name for route in routes if route.body.model_config["extra"] != "forbid"] == []
    assert [route.name for route in routes if not route.summary] == []


def test_route_without_a_rule_cannot_be_written():
    """Security rules, IAM: deny by default."""
    with pytest.raises(TypeError):
        Routes("x").route("GET", "/v1/x", body=Nothing, answer=None)


@pytest.mark.parametrize("path", ["/v1/closed", "/v1/elsewhere"])
def test_two_routes_that_cannot_be_told_apart_are_refused(around, path):
    """Ours: the second one would hide the first, with its rule."""
    others = Routes("others")

    @others.route("GET", path, Rule(Permission.RECORDS_OWN), body=Nothing, answer=None)
    async def closed(_: object) -> None:
        """Another."""

    with pytest.raises(SetupError):
        application_of([ward, others], around)
