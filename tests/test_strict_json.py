"""What counts as JSON on the network, held against a slow and simple reading of the same rules."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import JSON_INVALID
from uhi.strict_json import DEFAULT_LIMITS, JsonLimits

LARGEST = 2**53


def refused(raw: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(Refusal) as caught:
        strict_json.parse(raw, limits)
    assert caught.value.fault is JSON_INVALID
    return str(caught.value)


# --- the rules one by one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":[1,2.5,"x",true,false,null,{}]}', {"a": [1, 2.5, "x", True, False, None, {}]}),
        (b" \t\r\n{ } \n", {}),
        (b'"\\ud83d\\ude00 \xe0\xa4\xa8"', "😀 न"),
        (b"-0.0", -0.0),
        (b"1e3", 1000.0),
    ],
)
def test_ordinary_json_is_read_as_it_stands(raw: bytes, value: object) -> None:
    """RFC 8259."""
    assert strict_json.parse(raw) == value


@pytest.mark.case("BODY-05")
@pytest.mark.parametrize(
    "raw",
    [
        b'{"consumer_id":"a","consumer_id":"b"}',
        b'{"consumer_id":"a","consumer\\u005fid":"b"}',
        b'{"message":{"price":{"value":"500","value":"5"}}}',
        b'[{"a":{"":1,"":1}}]',
    ],
)
def test_repeated_member_name_is_refused(raw: bytes) -> None:
    """Readers disagree about which of the two counts, so two parties could act on two messages (RFC 7493)."""
    assert "repeats a member name" in refused(raw)


@pytest.mark.case("BODY-04")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_taken_up_to_32_and_no_further(opening: bytes) -> None:
    """The network's limit on nesting; an empty innermost container counts like any other."""
    closing = b"]" if opening == b"[" else b"}"
    innermost = b"[]" if opening == b"[" else b"{}"

    strict_json.parse(opening * 31 + innermost + closing * 31)

    assert "nests too deep" in refused(opening * 32 + innermost + closing * 32)


@pytest.mark.case("BODY-04")
@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_very_deep_nesting_is_refused_without_recursion(raw: bytes) -> None:
    """A RecursionError or a crash would let one body stop a server."""
    assert "nests too deep" in refused(raw)


def test_number_of_values_is_limited() -> None:
    """Every value counts once, containers too; member names do not."""
    limits = JsonLimits(nodes=5)

    strict_json.parse(b'{"a":1,"b":[1,2]}', limits)

    assert "too many values" in refused(b'{"a":1,"b":[1,2,3]}', limits)


def test_default_limit_is_20_000_values() -> None:
    """The network's limit for all bodies but catalogues."""
    strict_json.parse(b"[" + b",".join([b"1"] * 19_999) + b"]")

    assert "too many values" in refused(b"[" + b",".join([b"1"] * 20_000) + b"]")


@pytest.mark.case("BODY-07")
@pytest.mark.parametrize("raw", [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"[nan]", b"inf"])
def test_nan_and_infinities_are_refused(raw: bytes) -> None:
    """They are not JSON, although many parsers read them."""
    refused(raw)


@pytest.mark.case("BODY-07")
@pytest.mark.parametrize(
    "raw",
    [
        b"1e999",
        b'{"a":[-1e999]}',
        b"9" * 5_000,
        b"[-" + b"9" * 5_000 + b"]",
        b"9" * 400,
        str(2**63).encode(),
        str(LARGEST + 1).encode(),
        str(-LARGEST - 1).encode(),
        b'{"a":9007199254740993.0}',
        b"1e16",
        b"90071992547409930e-1",
    ],
)
def test_number_beyond_2_to_the_53_is_refused(raw: bytes) -> None:
    """Beyond it, peers that hold numbers as doubles see another value (RFC 7493)."""
    assert "number is out of range" in refused(raw)


@pytest.mark.parametrize("number", [LARGEST, -LARGEST, LARGEST - 1, 0, 1e15, 0.1, 1e-300])
def test_number_up_to_2_to_the_53_is_taken(number: float) -> None:
    """The limit itself is exact in every reader."""
    assert strict_json.parse(repr(number).encode()) == number


@pytest.mark.case("BODY-08")
@pytest.mark.parametrize(
    "raw",
    [
        b'"\xff"',
        b'{"\xff":1}',
        b'"\xc0\x80"',
        b'"\xc1\xbf"',
        b'"\xe0\x80\xaf"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe0\xa4"',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-be"),
        '{"a":1}'.encode("utf-32-le"),
    ],
)
def test_anything_but_plain_utf8_is_refused(raw: bytes) -> None:
    """Invalid bytes become one and the same character elsewhere, so that two bodies would be one message."""
    refused(raw)


@pytest.mark.case("BODY-09")
@pytest.mark.parametrize(
    "raw", [b'"\\ud800"', b'"\\udc00"', b'"\\ud800x"', b'"\\ud800\\u0041"', b'{"\\udfff":1}', b'"\\ud800\\ud800"']
)
def test_lone_surrogate_is_refused(raw: bytes) -> None:
    """Such a string cannot be written as UTF-8 again."""
    refused(raw)


@pytest.mark.case("BODY-10")
@pytest.mark.parametrize(
    "raw",
    [b'"\\u0000"', b'{"name":"a\\u0000b"}', b'{"\\u0000":1}', b'"\\\\\\u0000"', b'"a\x00b"', b"\x00{}", b"{}\x00"],
)
def test_nul_is_refused(raw: bytes) -> None:
    """Databases and C libraries cut a string there."""
    refused(raw)


@pytest.mark.parametrize("raw", [b'"\\\\u0000"', b'["\\\\\\\\u0000","\\n\\\\u0000"]'])
def test_text_that_only_looks_like_nul_is_taken(raw: bytes) -> None:
    r"""An escaped backslash in front of `u0000` is a backslash and five characters."""
    assert "u0000" in json.dumps(strict_json.parse(raw))


@pytest.mark.case("BODY-12")
@pytest.mark.parametrize("raw", [b"", b" \n"])
def test_empty_body_is_refused(raw: bytes) -> None:
    """Nothing is not JSON."""
    assert "empty" in refused(raw)


@pytest.mark.case("BODY-12")
@pytest.mark.parametrize("raw", [b"[]", b"null", b'""', b"{}"])
def test_small_values_are_left_to_the_models(raw: bytes) -> None:
    """They are JSON; that they are no message is said by the message's model."""
    assert strict_json.parse(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "raw", [b"{}{}", b"{} x", b"1,", b'{"a":1,}', b"[1,]", b"// a\n1", b"{'a':1}", b"01", b'"\\x41"']
)
def test_text_around_and_inside_must_be_json(raw: bytes) -> None:
    """RFC 8259 as written; no comments, trailing commas or second texts."""
    refused(raw)


def test_refusal_gives_the_position_and_never_the_text() -> None:
    """A parser's own message can quote a patient's data."""
    with pytest.raises(Refusal) as caught:
        strict_json.parse(b'{"asha.rao":\n"x","asha.rao":"y"}')

    assert str(caught.value).startswith("JSON object repeats a member name at line 2, column ")
    assert "asha" not in repr(caught.value)
    assert caught.value.__context__ is None


# --- against a slow and simple reading -------------------------------------------------------------------------------


class NotTaken(Exception):
    """The simple reading refuses."""


def simple_parse(raw: bytes, limits: JsonLimits) -> object:
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=Decimal,
            parse_float=lambda text: (text, float(text)),
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        raise NotTaken from error
    if _count(value, limits.depth) > limits.nodes:
        raise NotTaken
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise NotTaken
    return dict(pairs)


def _no_constant(text: str) -> object:
    raise NotTaken


def _count(value: object, depth_left: int) -> int:
    if not isinstance(value, (dict, list)):
        _check_scalar(value)
        return 1
    if depth_left == 0:
        raise NotTaken
    if isinstance(value, dict):
        for name in value:
            _check_scalar(name)
    children = value.values() if isinstance(value, dict) else value
    return 1 + sum(_count(child, depth_left - 1) for child in children)


def _check_scalar(value: object) -> None:
    if isinstance(value, str) and any(character == "\0" or 0xD800 <= ord(character) < 0xE000 for character in value):
        raise NotTaken
    if isinstance(value, Decimal) and abs(value) > LARGEST:
        raise NotTaken
    if isinstance(value, tuple) and abs(value[1]) >= LARGEST:
        raise NotTaken


BLANK = st.sampled_from(["", "", "", " ", "\n\t", "\r"])
NUMBER = st.one_of(
    st.integers(-(2**60), 2**60).map(str),
    st.sampled_from([LARGEST - 1, LARGEST, LARGEST + 1, -LARGEST, -LARGEST - 1]).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["1e999", "-1E+400", "NaN", "Infinity", "01", "1.", "-", "9" * 4_400, "0." + "1" * 400]),
)
STRING = st.one_of(
    st.text(max_size=6).map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    ),
    st.lists(
        st.sampled_from(
            ["\\u0000", "\\\\", "u0000", "\\u0061", "a", "\\ud800", "\\udc00", "\\n", ":1e9", "[[", "}", '\\"']
        )
    ).map(lambda parts: f'"{"".join(parts)}"'),
)


def _array(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(BLANK, st.lists(children, max_size=4)).map(lambda parts: f"[{parts[0]}{','.join(parts[1])}]")


def _object(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.one_of(STRING, st.sampled_from(['"a"', '"b"', '"\\u0061"']))
    member = st.tuples(names, BLANK, children, BLANK).map(lambda parts: f"{parts[0]}:{parts[1]}{parts[2]}{parts[3]}")
    return st.lists(member, max_size=4).map(lambda members: f"{{{','.join(members)}}}")


TEXT = st.recursive(
    st.one_of(NUMBER, STRING, st.sampled_from(["true", "false", "null"])),
    lambda children: st.one_of(_array(children), _object(children), children.map(lambda text: f"[[[{text}]]]")),
    max_leaves=12,
)
RAW = st.one_of(
    TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(BLANK, TEXT, BLANK).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    st.binary(max_size=40),
)
LIMITS = st.builds(JsonLimits, depth=st.integers(1, 8), nodes=st.integers(1, 30))


def comparable(value: object) -> object:
    if isinstance(value, dict):
        return {name: comparable(child) for name, child in value.items()}
    if isinstance(value, list):
        return [comparable(child) for child in value]
    if isinstance(value, Decimal):
        return int(value)
    return value[1] if isinstance(value, tuple) else value


@settings(deadline=None, max_examples=600)
@given(raw=RAW, limits=LIMITS)
@example(raw=b"[[]]", limits=JsonLimits(depth=1))
@example(raw=b'{"a":"\\\\\\u0000"}', limits=DEFAULT_LIMITS)
def test_same_texts_are_taken_as_by_a_simple_recursive_reading(raw: bytes, limits: JsonLimits) -> None:
    """Nothing that the rules refuse slips through, nothing that they take is refused, and the values are the same."""
    try:
        expected = comparable(simple_parse(raw, limits))
    except NotTaken:
        refused(raw, limits)
    else:
        assert strict_json.parse(raw, limits) == expected


JSON_VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-LARGEST, LARGEST),
        st.floats(min_value=-1e15, max_value=1e15, allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=4),
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), children, max_size=4
        ),
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(value=JSON_VALUE)
def test_what_is_written_is_read_back(value: object) -> None:
    """Writing is the inverse of reading, in compact UTF-8."""
    written = strict_json.write(value)

    assert strict_json.parse(written) == value


def test_written_text_is_compact_and_keeps_the_order() -> None:
    """Bodies are signed as they are written, so nothing may be added or moved."""
    assert strict_json.write({"b": [1, "न"], "a": None}) == '{"b":[1,"न"],"a":null}'.encode()


@pytest.mark.parametrize("value", [{1: "a"}, "\ud800", object()])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    """A mistake in our own code, not in a peer's message."""
    with pytest.raises(TypeError):
        strict_json.write(value)


def test_simple_reading_is_strict_itself() -> None:
    """The yardstick of the comparison refuses what it is there to refuse."""
    for raw in (b"[NaN]", b'{"a":1,"a":1}', b'"\\u0000"', b"1e999", b"\xef\xbb\xbf{}", b"[[[]]]"):
        with pytest.raises(NotTaken):
            simple_parse(raw, JsonLimits(depth=2))
    assert math.isinf(float("1e999"))
