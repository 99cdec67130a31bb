"""What a route is asked: the JSON body, or the query, read strictly into the route's model.

Above: `serving`; below: `uhi.http.reading`, `uhi.strict_json`. Source: security rules "Default limits", decision 7.
"""

from __future__ import annotations

import re

from aiohttp import web
from pydantic import ValidationError

from uhi import strict_json
from uhi.api.problems import refusal_of, unacceptable
from uhi.api.routes import READING, Body, Nothing, Route
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING, REQUEST_INVALID
from uhi.http.reading import check_announced, read_body
from uhi.strict_json import JsonLimits

_LIMITS = JsonLimits(depth=16, nodes=5_000)
_MOST_QUERY = 4_096
_ID = re.compile(r"[!-~]{1,255}")


async def read_asked(request: web.Request, route: Route, *, seconds: float) -> Body:
    """The model filled with what was sent.

    Raises: Refusal(REQUEST_INVALID, JSON_INVALID, BODY_TYPE, BODY_TOO_LARGE, BODY_LATE, HTTP_MALFORMED).
    """
    if route.method in READING:
        if request.can_read_body:
            raise Refusal(REQUEST_INVALID, "there is a body", expected=f"none for {route.method}")
        return _from_query(request, route.body)
    if request.query_string:
        raise Refusal(REQUEST_INVALID, "there is a query", expected=f"none for {route.method}")
    if route.body is Nothing and not request.can_read_body:
        return Nothing()
    check_announced(request, size=route.size)
    return _from_json(await read_body(request, size=route.size, seconds=seconds), route.body)


def read_path(request: web.Request) -> dict[str, str]:
    """The values of the path's names.

    Raises: Refusal(RECORD_MISSING) for one that no record of ours can be called by.
    """
    values = dict(request.match_info)
    if not all(_ID.fullmatch(value) for value in values.values()):
        raise Refusal(RECORD_MISSING, "the path names no record", expected="ids of printable ASCII, without spaces")
    return values


def _from_json(raw: bytes, model: type[Body]) -> Body:
    value = strict_json.parse(raw, _LIMITS)
    if not isinstance(value, dict):
        raise refusal_of(("", "is to be an object"))
    try:
        # Read a second time, as JSON: then a number is never taken for a text, and an enum may still be spelled.
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        mistakes = unacceptable(error, model)
    raise mistakes


def _from_query(request: web.Request, model: type[Body]) -> Body:
    if len(request.query_string) > _MOST_QUERY:
        raise Refusal(REQUEST_INVALID, "the query is too long", expected=f"at most {_MOST_QUERY} bytes")
    query = request.query
    if len(set(query)) != len(query):
        raise Refusal(REQUEST_INVALID, "a name is in the query twice", expected="each name once")
    if not all(value.isprintable() for value in query.values()):
        raise Refusal(REQUEST_INVALID, "the query holds a character that does not print")
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        mistakes = unacceptable(error, model)
    raise mistakes
