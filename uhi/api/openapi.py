"""The description of a REST interface (OpenAPI 3.1), made from its routes, so that it cannot say anything else.

Above: `serving` of the page, `docs/generate.py`; below: `routes`, `problems`. Source: OpenAPI 3.1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from importlib import import_module
from itertools import chain
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from uhi.api.doorkeeper import COOKIE, CSRF_HEADER
from uhi.api.idempotency import KEY_HEADER, LONGEST_KEY, takes_key
from uhi.api.problems import PROBLEM_TYPE, Problem
from uhi.api.routes import READING, Answer, Call, Nothing, Raw, Route, Routes
from uhi.errors import SetupError
from uhi.identity.roles import OF_PEOPLE_ONLY
from uhi.identity.rules import PUBLIC, Rule

Json: TypeAlias = dict[str, object]
NOTHING_ELSE: Json = {}

_REF = "#/components/schemas/{model}"
_PROBLEM = "#/components/responses/Problem{}"
_NAMES = re.compile(r"{(\w+)}")
_ALWAYS = {400, 429, 431, 500, 503}
_WITH_BODY = {408, 413, 415}
_WITH_RULE = {401, 403}
_WITH_KEY = {409, 422}
_ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_CONTENT = {"events": "text/event-stream"}
_STREAMS = {
    "events": (
        "Server-sent events; the data of each is one JSON object, as the schema says, but for the last one, `closed`, "
        "which holds `code` and `reason`. An event with an id can be gone on after: send it as `Last-Event-ID`. Lines "
        "that begin with a colon only show that the connection lives. The proof of who asks is a header or the cookie, "
        "never a part of the address."
    ),
    "socket": (
        "A WebSocket: send the handshake of RFC 6455, with the access token in the `Authorization` header or, from our "
        "own pages, the cookie; never in the address. Each text is a JSON object of `event`, `id` and `data`, which is "
        "as the schema says. Say nothing. It closes with 1000 (complete), 1001 (come again), 1003 (something was "
        "said), 1011 (failed; the reason is a code of problems), 1013 (too slow)."
    ),
}
_KEY = (
    "A text of your own for one wish, such as a UUID. Sent again with the same request it brings the first answer, "
    "marked by the header Idempotency-Replayed, for seven days. What was refused before anything was done is not kept."
)
_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "What a sign-in gives; it lives ten minutes.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "uhi_live_…",
        "description": "What a program has.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "What a browser has.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "With the cookie, for everything but GET.",
    },
}


def describe(
    groups: Sequence[Routes], *, title: str, version: str, others: Json = NOTHING_ELSE, has_keys: bool = False
) -> Json:
    """The description as a JSON value, in the same order every time. `others` is a part of a description, of what is
    served beside the groups; `has_keys`: the interface takes `Idempotency-Key` (`Surroundings.idempotency`).

    Raises: SetupError when a name of theirs is taken.
    """
    routes = sorted(chain.from_iterable(group.all for group in groups), key=lambda route: (route.path, route.method))
    routes = routes if has_keys else [replace(route, key="none") for route in routes]
    schemas = _Schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    described: Json = {
        "openapi": "3.1.1",
        "info": {"title": title, "version": version},
        "tags": [{"name": group.tag} for group in groups],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "responses": _problems(routes, schemas),
            "securitySchemes": _SCHEMES,
        },
    }
    described = _joined(described, others)
    # A program that nobody asks for its description need not wait for what loads longest of it.
    import_module("openapi_pydantic.v3.v3_1").OpenAPI.model_validate(described)
    return described


class Description(Answer):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow", frozen=True)

    openapi: str


def description_page(
    groups: Sequence[Routes], *, title: str, version: str, others: Json = NOTHING_ELSE, has_keys: bool = False
) -> Routes:
    """A group with one route, which gives the description of the others and of itself to anybody; see `describe`."""
    page = Routes("description")

    @page.route("GET", "/openapi.json", PUBLIC, body=Nothing, answer=Description, kept_seconds=300)
    async def get_description(_: Call[Nothing]) -> Description:
        """What this interface offers."""
        return described()

    @cache
    def described() -> Description:
        # A tenth of a second, for which no start has to wait.
        told = describe([*groups, page], title=title, version=version, others=others, has_keys=has_keys)
        return Description.model_validate(told)

    return page


def _joined(one: Json, other: Json) -> Json:
    joined = {**other, **one}
    for name in one.keys() & other.keys():
        match one[name], other[name]:
            case dict() as left, dict() as right:
                joined[name] = _joined(left, right)
            case list() as left, list() as right:
                joined[name] = [*left, *right]
            case _:
                raise SetupError("two parts of a description have the same name", got=name, next_step="rename one")
    return joined


class _Schemas:
    """The schemas of all models by name, and how a place in the description refers to one."""

    def __init__(self, routes: Sequence[Route]) -> None:
        taken = {route.body for route in routes if route.method not in READING and route.body is not Nothing}
        given = {route.answer for route in routes if route.answer not in (None, Raw)} | {Problem}
        modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in sorted(taken, key=_name)),
            *((model, "serialization") for model in sorted(given, key=_name)),
        ]
        self._references, defined = models_json_schema(modes, ref_template=_REF)
        self.named: Json = dict(sorted(defined["$defs"].items()))

    def taken(self, model: type[BaseModel]) -> Json:
        """What a body is like."""
        return dict(self._references[model, "validation"])

    def given(self, model: type[BaseModel]) -> Json:
        """What an answer is like."""
        return dict(self._references[model, "serialization"])


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(route: Route, schemas: _Schemas) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "security": _security(route.rule, route.method),
    }
    if route.stream:
        operation["description"] = _STREAMS[route.stream]
    parameters = [*_path_parameters(route), *_query_parameters(route), *_key_parameter(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.method not in READING and route.body is not Nothing:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.taken(route.body)}},
        }
    operation["responses"] = _responses(route, schemas)
    return operation


def _path_parameters(route: Route) -> Iterator[Json]:
    for name in _NAMES.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _ID_SCHEMA}


def _key_parameter(route: Route) -> Iterator[Json]:
    if takes_key(route):
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"}
        is_required = route.key == "required"
        yield {"name": KEY_HEADER, "in": "header", "required": is_required, "description": _KEY, "schema": schema}


def _query_parameters(route: Route) -> Iterator[Json]:
    if route.method not in READING or route.body is Nothing:
        return
    # Each parameter stands alone, so a schema that one refers to is written out where it is used.
    schema = route.body.model_json_schema()
    named = schema.get("$defs", {})
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in required, "schema": _inlined(field, named)}


def _inlined(value: object, named: Json) -> object:
    match value:
        case {"$ref": str(reference), **others}:
            found = named[reference.rpartition("/")[2]]
            return _inlined({**found, **others} if isinstance(found, dict) else found, named)
        case dict():
            return {key: _inlined(each, named) for key, each in value.items()}
        case list():
            return [_inlined(each, named) for each in value]
    return value


def _responses(route: Route, schemas: _Schemas) -> Json:
    done: Json = {"description": "Done."}
    if route.answer is Raw:
        done["content"] = {route.media: {"schema": {"type": "string"}}}
    elif route.answer is not None:
        media = _CONTENT.get(route.stream or "", "application/json")
        done["content"] = {media: {"schema": schemas.given(route.answer)}}
    if route.stream == "socket":
        done["description"] = "Never; where the handshake is right the answer is 101, and what the schema says flows."
    refused = {str(status): {"$ref": _PROBLEM.format(status)} for status in sorted(_problem_statuses(route))}
    over: Json = {"204": {"description": "It is over: nothing more is to come."}} if route.stream == "events" else {}
    others = {str(status): done for status in route.others}
    return {str(route.status): done, **others, **over, **refused}


def _problems(routes: Sequence[Route], schemas: _Schemas) -> Json:
    """One response for each status that some route refuses with."""
    content = {PROBLEM_TYPE: {"schema": schemas.given(Problem)}}
    statuses = sorted({status for route in routes for status in _problem_statuses(route)})
    return {
        _PROBLEM.format(status).rpartition("/")[2]: {
            "description": f"{HTTPStatus(status).phrase}.",
            "content": content,
        }
        for status in statuses
    }


def _problem_statuses(route: Route) -> set[int]:
    statuses = _ALWAYS | {fault.status for fault in route.refuses}
    if route.rule.permission is not None:
        statuses |= _WITH_RULE
    if route.method != "GET":
        statuses |= {403}
    if route.method not in READING:
        statuses |= _WITH_BODY
    if takes_key(route):
        statuses |= _WITH_KEY
    return statuses | {404} if _NAMES.search(route.path) else statuses


def _security(rule: Rule, method: str) -> Iterable[Json]:
    if rule.permission is None:
        return [{}]
    browser: Json = {"session": []} if method == "GET" else {"session": [], "csrf": []}
    people: list[Json] = [{"accessToken": []}, browser]
    takes_people = rule.permission in OF_PEOPLE_ONLY or rule.second_factor or rule.fresh_seconds is not None
    return people if takes_people else [*people, {"apiKey": []}]
