"""Problem documents: how a REST interface says no, in fixed texts that repeat nothing of the request.

Above: `serving`, `openapi`; below: `uhi.errors`. Source: RFC 9457.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import takewhile

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from uhi.api.routes import Answer
from uhi.errors import Refusal
from uhi.faults import (
    ACCESS_DENIED,
    ALREADY_TAKEN,
    ANOTHER_PERSON_REQUIRED,
    FRESH_SIGN_IN_REQUIRED,
    MESSAGING_UNSUPPORTED,
    RECORD_MISSING,
    REQUEST_INVALID,
    SECOND_FACTOR_REQUIRED,
    SIGN_IN_REQUIRED,
    STATE_REFUSED,
)

PROBLEM_TYPE = "application/problem+json"
_MOST_MISTAKES = 20

_REASONED = frozenset(
    {
        *(REQUEST_INVALID, RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN, SIGN_IN_REQUIRED, ACCESS_DENIED),
        *(ANOTHER_PERSON_REQUIRED, SECOND_FACTOR_REQUIRED, FRESH_SIGN_IN_REQUIRED, MESSAGING_UNSUPPORTED),
    }
)
"""Of these a route that explains tells the reason: they are about a request, a record or a right of one's own."""

_NOT_THERE = "nothing of this id is there for who asks; the list of its kind shows what is"
_UNKNOWN_NAME = "holds a name that is not known here"
_A_DAY = "is to be a day that there is, such as 2027-01-14"
_A_MOMENT = "is to be a moment with its zone, +05:30 or Z, such as 2027-01-14T10:00:00+05:30"
_TEXTS = {
    "missing": "is required",
    "extra_forbidden": _UNKNOWN_NAME,
    "date_from_datetime_inexact": _A_DAY,
    "date_from_datetime_parsing": _A_DAY,
    "date_parsing": _A_DAY,
    "date_type": _A_DAY,
    "datetime_from_date_parsing": _A_MOMENT,
    "datetime_parsing": _A_MOMENT,
    "datetime_type": _A_MOMENT,
    "timezone_aware": _A_MOMENT,
    "string_type": "is to be text",
    "int_type": "is to be a whole number",
    "int_parsing": "is to be a whole number",
    "int_from_float": "is to be a whole number",
    "float_type": "is to be a number",
    "float_parsing": "is to be a number",
    "bool_type": "is to be true or false",
    "bool_parsing": "is to be true or false",
    "list_type": "is to be a list",
    "model_type": "is to be an object",
    "model_attributes_type": "is to be an object",
}
# These texts of pydantic's hold limits, patterns and choices of ours, and nothing that was sent.
_OWN_LIMITS = {
    "enum",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "literal_error",
    "string_pattern_mismatch",
    "string_too_long",
    "string_too_short",
    "too_long",
    "too_short",
    "value_error",
}
_OTHERWISE = "is not acceptable"
_SUBJECT = re.compile(r"^[A-Z][a-z]+ should ")
_LENGTH_SENT = re.compile(r" after validation, not .*$")


class Mistake(Answer):
    """One part of a request that is not as it must be: `path` is where (`keys[0].key_id`), empty for the whole."""

    path: str
    message: str


class Problem(Answer):
    """Why a request was refused: `title` is a fixed sentence, `code` its name for programs."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    code: str
    request_id: str
    errors: tuple[Mistake, ...] = ()


def unacceptable(error: ValidationError, model: type[BaseModel] | None = None) -> Refusal:
    """What a model refused, told without what was sent; a name it does not know, once, with those it knows."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    known = _names(model) if model else ""
    told = dict.fromkeys(_mistakes(details[:_MOST_MISTAKES], _all_names(model) if model else None))
    return refusal_of(*((path, text + known * ((path, text) == ("", _UNKNOWN_NAME))) for path, text in told))


def refusal_of(*mistakes: tuple[str, str]) -> Refusal:
    """The refusal of a request with these mistakes: paths, each with what is wrong there."""
    places = ", ".join(sorted({path for path, _ in mistakes if path}))
    refusal = Refusal(REQUEST_INVALID, got=f"mistakes in {places}" if places else "")
    refusal.mistakes = mistakes
    return refusal


def problem(refusal: Refusal, request_id: str, *, explains: bool = False) -> Problem:
    """The document for a refusal; `explains` as of `Route`."""
    fault = refusal.fault
    return Problem(
        title=fault.sentence,
        status=fault.status,
        code=fault.type,
        request_id=request_id,
        errors=_told(refusal, explains),
    )


def _told(refusal: Refusal, explains: bool) -> tuple[Mistake, ...]:
    if refusal.mistakes:
        return tuple(Mistake(path=path, message=message) for path, message in refusal.mistakes)
    reason = _reason(refusal) if explains else ""
    if not reason and refusal.path:
        reason = f"expected {refusal.expected}" if refusal.expected else _OTHERWISE
    return (Mistake(path=refusal.path, message=reason),) if reason else ()


def _reason(refusal: Refusal) -> str:
    """What the operator reads too, without the sentence that is the title; empty where it is for nobody else."""
    if refusal.fault is RECORD_MISSING and not refusal.path:
        # What is foreign and what is not there are told alike.
        return _NOT_THERE
    text = str(refusal).removeprefix(refusal.fault.sentence.removesuffix(".")).lstrip(".,; ")
    return text if refusal.fault in _REASONED else ""


def _mistakes(details: Sequence[ErrorDetails], ours: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    for detail in details:
        kind, steps = detail["type"], detail["loc"]
        # The name that nobody knows is the sender's own text.
        steps = steps[:-1] if kind == "extra_forbidden" else steps
        if ours is not None:
            # So is a key of a mapping; whatever is below it, too.
            steps = tuple(takewhile(lambda step: isinstance(step, int) or step in ours, steps))
        text = _limit(detail["msg"]) if kind in _OWN_LIMITS else _TEXTS.get(kind, _OTHERWISE)
        yield _path(steps), text


def _names(model: type[BaseModel]) -> str:
    names = [field.alias or name for name, field in model.model_fields.items()]
    return f"; known are {', '.join(names)}" if names else "; none is known"


@cache
def _all_names(model: type[BaseModel]) -> frozenset[str]:
    """The names of a model's fields, and of everything in it."""
    schema = model.model_json_schema()
    return frozenset(
        name for each in (schema, *schema.get("$defs", {}).values()) for name in each.get("properties", ())
    )


def _limit(text: str) -> str:
    return _LENGTH_SENT.sub("", _SUBJECT.sub("is to ", text.removeprefix("Value error, ")))


def _path(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
