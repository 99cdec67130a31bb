"""The description: what it says of routes, and that it is an OpenAPI document."""

from __future__ import annotations

import pytest

from tests.api.ward import ward
from uhi.api.openapi import describe, description_page
from uhi.api.routes import Nothing, Routes
from uhi.errors import SetupError
from uhi.identity.rules import PUBLIC

DESCRIBED = describe([ward], title="Ward", version="1")


def test_every_route_is_described_once():
    """Ours: the description is made from the routes."""
    operations = [operation for item in DESCRIBED["paths"].values() for operation in item.values()]

    assert sorted(operation["operationId"] for operation in operations) == sorted(route.name for route in ward.all)
    assert all(operation["summary"] for operation in operations)


def test_body_and_query_are_described_by_their_models():
    """Ours: the same model reads what is sent and describes it."""
    paths = DESCRIBED["paths"]

    body = paths["/v1/notes"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    queries = paths["/v1/notes"]["get"]["parameters"]

    assert body == {"$ref": "#/components/schemas/Note"}
    assert DESCRIBED["components"]["schemas"]["Note"]["additionalProperties"] is False
    assert [(query["name"], query["in"], query["required"]) for query in queries] == [
        ("page", "query", False),
        ("q", "query", False),
    ]


def test_security_follows_from_the_rule():
    """Ours: public routes take nothing; a service's key is named only where a service may ask."""
    paths = DESCRIBED["paths"]

    assert paths["/v1/enter"]["post"]["security"] == [{}]
    assert {"apiKey": []} in paths["/v1/notes"]["get"]["security"]
    assert paths["/v1/notes"]["post"]["security"] == [{"accessToken": []}, {"session": [], "csrf": []}]


def test_refusals_are_problems():
    """RFC 9457: every status that a route may refuse with has a problem as its body."""
    said = DESCRIBED["paths"]["/v1/records/{id}"]["get"]["responses"]

    assert set(said) == {"200", "400", "401", "403", "404", "429", "431", "500", "503"}
    assert said["404"] == {"$ref": "#/components/responses/Problem404"}
    content = DESCRIBED["components"]["responses"]["Problem404"]["content"]
    assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "409" in DESCRIBED["paths"]["/v1/closed"]["get"]["responses"]


async def test_description_is_served_to_anybody():
    """Ours: it describes itself too."""
    page = description_page([ward], title="Ward", version="1")
    [route] = page.all

    described = (await route.handler(None)).model_dump(mode="json")

    assert (route.rule, route.body) == (PUBLIC, Nothing)
    assert set(described["paths"]) == {*DESCRIBED["paths"], "/openapi.json"}


def test_paths_that_are_served_beside_the_routes_are_described_with_them():
    """Ours: the registry's signed paths; a name that is taken is a mistake of ours, told at once."""
    others = {"tags": [{"name": "more"}], "paths": {"/more": {"post": {"responses": {"200": {"description": "x"}}}}}}

    described = describe([ward], title="Ward", version="1", others=others)

    assert set(described["paths"]) == {*DESCRIBED["paths"], "/more"}
    assert [tag["name"] for tag in described["tags"]] == ["ward", "more"]
    with pytest.raises(SetupError, match="the same name"):
        describe([ward], title="Ward", version="1", others={"info": {"title": "Other"}})


def test_empty_interface_can_be_described():
    """Ours: a group without routes is not a special case."""
    assert describe([Routes("none")], title="None", version="1")["paths"] == {}
