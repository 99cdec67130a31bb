"""JSON as the network reads and writes it: one meaning per text, bounded in depth and size, linear in the body.

Below: `errors`; above: `signing` (the header's JSON object) and the doors of `exchange` (bodies).
Source: RFC 8259 and, for numbers, strings and repeated names, I-JSON (RFC 7493).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import jiter
import orjson

from uhi.errors import Refusal
from uhi.faults import JSON_INVALID

LARGEST_NUMBER = 2**53
"""The largest magnitude of a number; beyond it peers that read numbers as doubles see another value."""

_LARGEST_FLOAT = 2.0**53 - 1


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """How much one text may hold: `depth` of nested objects and arrays, `nodes` = values of any kind in all."""

    depth: int = 32
    nodes: int = 20_000


DEFAULT_LIMITS = JsonLimits()

_NUL_ESCAPE = b"\\u0000"
_POSITION = re.compile(r"at line ([0-9]{1,9}) column ([0-9]{1,9})\Z")
_NOT_JSON = "text is not JSON"
# The parser's own texts can quote the input, so its first words only choose one of ours.
_TEXTS = (
    ("Detected duplicate key", "JSON object repeats a member name"),
    ("EOF while parsing", "JSON text is empty or ends too early"),
    ("trailing characters", "JSON text is followed by other text"),
    ("recursion limit", "JSON text nests too deep"),
    ("invalid unicode code point", "JSON text is not valid UTF-8"),
    ("unexpected end of hex escape", "JSON string holds a broken escape or a lone surrogate"),
    ("lone leading surrogate", "JSON string holds a lone surrogate"),
    ("number out of range", "JSON number is out of range"),
)


def parse(raw: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> object:
    """The value that `raw` (UTF-8 without a byte order mark) spells: dict, list, str, int, float, bool or None.

    Raises: Refusal(JSON_INVALID) for anything that is not JSON, repeats a member name, exceeds `limits`, or holds
    NaN, an infinity, a number beyond 2^53, NUL or a lone surrogate. The text of the refusal never quotes the input.
    """
    # The parser's default cache keeps string values, which are people's data, for the life of the process.
    problem: str | None = None
    value: object = None
    try:
        value = jiter.from_json(raw, cache_mode="keys", catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        # Raised here and not above, so that the parser's error does not hang on ours as its context.
        raise _unreadable(problem)
    # A run of backslashes pairs up from its left end: only an odd one out begins the escape that follows.
    if _NUL_ESCAPE in raw and _NUL_ESCAPE in raw.replace(b"\\\\", b"."):
        raise Refusal(JSON_INVALID, "JSON string holds the character U+0000", next_step="remove it and sign again")
    _check_values(value, limits)
    return value


def write(value: object) -> bytes:
    """`value` as compact UTF-8 JSON, members in their given order.

    Raises: TypeError for what JSON cannot hold (a lone surrogate, a key that is no string, an object of ours).
    """
    return orjson.dumps(value)


def _check_values(value: object, limits: JsonLimits) -> None:
    # Level by level, without recursion. On the network's messages this is cheaper than searching their bytes for
    # numbers and brackets that could matter. The parser makes these exact types and no others.
    found: list[object] = [value]
    depth = nodes = 0
    while found:
        nodes += len(found)
        if nodes > limits.nodes:
            raise Refusal(JSON_INVALID, "JSON text holds too many values", expected=f"at most {limits.nodes}")
        others = [item for item in found if type(item) is not str]
        if depth == limits.depth and any(type(item) is dict or type(item) is list for item in others):
            raise Refusal(JSON_INVALID, "JSON text nests too deep", expected=f"at most {limits.depth} levels")
        depth += 1
        found = []
        for item in others:
            if type(item) is dict:
                found += item.values()
            elif type(item) is list:
                found += item
            elif type(item) is int or type(item) is float:
                _check_number(item)


def _check_number(item: int | float) -> None:
    # A float that equals 2^53 may have been spelled as a number beyond it, so for floats the limit itself is out.
    most = LARGEST_NUMBER if type(item) is int else _LARGEST_FLOAT
    if not -most <= item <= most:
        raise _out_of_range()


def _out_of_range() -> Refusal:
    return Refusal(
        JSON_INVALID,
        "JSON number is out of range",
        expected="a magnitude up to 2^53",
        next_step="send larger numbers as text",
    )


def _unreadable(problem: str) -> Refusal:
    what = next((text for start, text in _TEXTS if problem.startswith(start)), _NOT_JSON)
    position = _POSITION.search(problem)
    where = f" at line {position[1]}, column {position[2]}" if position else ""
    return Refusal(JSON_INVALID, what + where)
