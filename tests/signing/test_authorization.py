"""The value of a signature header: what is read, what is refused, what is written."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.faults import SIGNATURE_INVALID
from uhi.signing import HeaderForm, SignatureHeader, authorization

SIGNATURE = bytes(range(64))
SIGNATURE_TEXT = base64.b64encode(SIGNATURE).decode()
HEADER = SignatureHeader("clinic.hspa", "k1", 1699999995, 1700000005, SIGNATURE)
JSON_MEMBERS: dict[str, object] = {
    "headers": "(created) (expires) digest",
    "expires": "1700000005",
    "signature": SIGNATURE_TEXT,
    "created": "1699999995",
    "keyId": "clinic.hspa|k1|ed25519",
    "algorithm": "ed25519",
}
BOTH_FORMS = pytest.mark.parametrize("form", HeaderForm)


def in_json(**changed: object) -> str:
    members = {name: value for name, value in (JSON_MEMBERS | changed).items() if value is not ...}
    return json.dumps(members)


def in_signature_form(**changed: object) -> str:
    members = {name: value for name, value in (JSON_MEMBERS | changed).items() if value is not ...}
    return "Signature " + ",".join(f'{name}="{value}"' for name, value in members.items())


WRITERS = {HeaderForm.JSON: in_json, HeaderForm.SIGNATURE: in_signature_form}


def refused(value: str) -> str:
    with pytest.raises(Refusal) as caught:
        authorization.parse(value)
    assert caught.value.fault is SIGNATURE_INVALID
    return str(caught.value)


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        in_json(),
        in_json(created=1699999995, expires=1700000005),
        in_json(headers=...),
        in_json(headers="(created)(expires)digest"),
        in_json(extra="x", more=1, most=None, least=False),
        f" \t{in_json()} ",
        in_signature_form(),
        in_signature_form(headers=...),
        in_signature_form(extra="|=,"),
        in_signature_form().replace("Signature ", "SIGNATURE \t "),
        in_signature_form().replace(",", " ,\r\n\t ").replace("=", " = ", 3),
        in_signature_form().replace('"1699999995"', "1699999995"),
        f'"{in_signature_form()}"',
    ],
)
def test_variants_that_mean_the_same_are_read(value: str) -> None:
    """Parse liberally: order, white space, unknown attributes, integers, the scheme's case, one pair of quotes."""
    assert authorization.parse(value) == HEADER


# --- what is refused -------------------------------------------------------------------------------------------------


@BOTH_FORMS
@pytest.mark.parametrize("name", ["keyId", "algorithm", "created", "expires", "signature"])
def test_missing_attribute_is_refused(form: HeaderForm, name: str) -> None:
    """Only `headers` may be absent."""
    assert name in refused(WRITERS[form](**{name: ...}))


@pytest.mark.case("SIG-09")
@BOTH_FORMS
@pytest.mark.parametrize("algorithm", ["hs2019", "none", "rsa-sha256", "Ed25519", "xed25519", "", "ed25519 "])
def test_other_algorithm_is_refused(form: HeaderForm, algorithm: str) -> None:
    """The literal `ed25519`; what the peer claims chooses nothing."""
    refused(WRITERS[form](algorithm=algorithm))


@pytest.mark.case("SIG-09")
@BOTH_FORMS
@pytest.mark.parametrize("key_id", ["clinic.hspa|k1|rsa-sha256", "clinic.hspa|k1|Ed25519", "clinic.hspa|k1|x25519"])
def test_other_algorithm_in_key_id_is_refused(form: HeaderForm, key_id: str) -> None:
    """Both places name the same algorithm."""
    refused(WRITERS[form](keyId=key_id))


@pytest.mark.case("SIG-11")
@BOTH_FORMS
@pytest.mark.parametrize(
    "key_id",
    [
        "clinic.hspa",
        "clinic.hspa|k1",
        "clinic.hspa|k1|x|ed25519",
        "a||ed25519",
        "|k1|ed25519",
        "a b|k1|ed25519",
        " a|k1|ed25519",
        "a|k1|ed25519 ",
        "a%00|k1|ed25519",
        "a/b|k1|ed25519",
        f"{'a' * 256}|k1|ed25519",
        f"a|{'k' * 300}|ed25519",
        "",
    ],
)
def test_key_id_of_another_shape_is_refused(form: HeaderForm, key_id: str) -> None:
    """Exactly three parts of 1–255 letters, digits and `._:-`."""
    refused(WRITERS[form](keyId=key_id))


@BOTH_FORMS
def test_longest_key_id_is_read(form: HeaderForm) -> None:
    """255 characters in each part."""
    header = authorization.parse(WRITERS[form](keyId=f"{'a' * 255}|{'k' * 255}|ed25519"))

    assert (len(header.subscriber_id), len(header.key_id)) == (255, 255)


@pytest.mark.case("SIG-08")
@BOTH_FORMS
@pytest.mark.parametrize("name", ["created", "expires"])
@pytest.mark.parametrize(
    "time",
    ["1e9", "+5", "-5", "9" * 12, "9" * 20, "", " 1", "1 ", "1_0", "0x1", "1.0", "01700000000", "yesterday"],
)
def test_time_that_is_no_plain_integer_is_refused(form: HeaderForm, name: str, time: str) -> None:
    """Up to 11 ASCII digits and nothing else; Python's own int() takes more."""
    refused(WRITERS[form](**{name: time}))


@pytest.mark.case("SIG-08")
@pytest.mark.parametrize("time", ["१६९९९९९९९५", "1699999995\n", 1.0, 1e9, True, None, -1, 10**11, [1], {"a": 1}])
def test_time_that_is_no_plain_integer_in_json_is_refused(time: object) -> None:
    """As above, for what only JSON can spell."""
    refused(in_json(created=time))
    refused(in_json(expires=time))


@pytest.mark.case("SIG-12")
@BOTH_FORMS
@pytest.mark.parametrize(
    "text",
    [
        "",
        SIGNATURE_TEXT.rstrip("="),
        SIGNATURE_TEXT[:-3] + chr(ord(SIGNATURE_TEXT[-3]) + 1) + "==",
        SIGNATURE_TEXT[:40] + " " + SIGNATURE_TEXT[40:],
        SIGNATURE_TEXT[:40] + " " + SIGNATURE_TEXT[41:],
        base64.urlsafe_b64encode(b"\xfb" * 64).decode(),
        base64.b64encode(SIGNATURE[:63]).decode(),
        base64.b64encode(SIGNATURE + b"x").decode(),
        "=" * 88,
        "A" * 88,
    ],
)
def test_signature_that_is_not_64_bytes_of_canonical_base64_is_refused(form: HeaderForm, text: str) -> None:
    """Padded standard alphabet, no white space, no stray bits in the last character."""
    refused(WRITERS[form](signature=text))


@BOTH_FORMS
@pytest.mark.parametrize(
    "headers",
    [
        "(expires) (created) digest",
        "(created) (expires)",
        "(created) (expires) digest host",
        "(created) (expires) digest request-signature",
        "(created)  (expires)  digest",
        "",
    ],
)
def test_other_signed_parts_are_refused(form: HeaderForm, headers: str) -> None:
    """The three names in this order and nothing else."""
    refused(WRITERS[form](headers=headers))


@pytest.mark.case("SIG-10")
@pytest.mark.parametrize(
    "value",
    [
        in_json()[:-1] + ',"signature":"AAAA"}',
        in_json()[:-1] + ',"\\u0073ignature":"AAAA"}',
        in_json()[:-1] + ',"created":"1699999995"}',
        in_json()[:-1] + ',"x":1,"x":1}',
        in_signature_form() + ',created="1699999995"',
        in_signature_form() + ",x=1,x=1",
    ],
)
def test_duplicate_attribute_is_refused(value: str) -> None:
    """Two readers could take two different ones."""
    assert "repeats" in refused(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        '"',
        '""',
        "Signature",
        "Signature ",
        "Signature ,",
        in_signature_form() + ",",
        in_signature_form() + " x",
        in_signature_form().replace(",", ",,", 1),
        in_signature_form().replace(",", ";"),
        in_signature_form().replace('"ed25519"', "ed25519"),
        in_signature_form().replace("Signature", "Bearer"),
        in_signature_form().replace("Signature ", "Signature"),
        in_signature_form().replace("Signature ", ""),
        f'""{in_signature_form()}""',
        f"'{in_signature_form()}'",
        in_signature_form(extra='a\\"b'),
        in_signature_form(extra="é"),
        in_json() + "x",
        in_json() + in_json(),
        f"[{in_json()}]",
        f'"{in_json()}"',
        in_json(extra=[]),
        in_json(extra={}),
        in_json(extra="\0"),
        in_json(extra="\ud800"),
        in_json(keyId=5),
        in_json(algorithm=None),
        in_json(headers=None),
        "{}",
        "null",
        "\ud800",
    ],
)
def test_text_of_another_grammar_is_refused(value: str) -> None:
    """Verify strictly: what is not one of the two forms is not repaired."""
    refused(value)


def test_java_map_text_is_refused() -> None:
    """Old senders printed a map instead of JSON; such headers are not read."""
    members = ", ".join(f"{name}={value}" for name, value in JSON_MEMBERS.items())

    assert "JSON object" in refused(f"{{{members}}}")


@BOTH_FORMS
def test_overlong_value_is_refused(form: HeaderForm) -> None:
    """8,190 characters is what HTTP servers take for a line."""
    empty = len(WRITERS[form](extra=""))

    authorization.parse(WRITERS[form](extra="x" * (8_190 - empty)))

    assert "too long" in refused(WRITERS[form](extra="x" * (8_191 - empty)))


def test_refusal_never_shows_the_signature() -> None:
    """Texts of refusals go to logs."""
    for value in (
        in_json(algorithm="x"),
        in_json(signature=SIGNATURE_TEXT[:-1]),
        in_json()[:-9],
        in_signature_form() + "x",
    ):
        assert SIGNATURE_TEXT[:40] not in refused(value)
    assert SIGNATURE_TEXT not in repr(HEADER)
    assert repr(SIGNATURE) not in repr(HEADER)


@settings(deadline=None, max_examples=300)
@given(
    value=st.one_of(
        st.text(max_size=80),
        st.text('Signature keyId=",|ed25519 created', max_size=120).map(lambda text: f"Signature {text}"),
        st.dictionaries(
            st.sampled_from([*JSON_MEMBERS, "extra"]),
            st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.lists(st.none(), max_size=1)),
        ).map(json.dumps),
        st.tuples(st.sampled_from([in_json(), in_signature_form()]), st.integers(0, 300), st.characters()).map(
            lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
        ),
    )
)
def test_reading_any_text_gives_a_header_or_a_refusal(value: str) -> None:
    """The header is the first thing a stranger sends, so no text may raise anything else."""
    fault = SIGNATURE_INVALID
    try:
        authorization.parse(value)
    except Refusal as refusal:
        fault = refusal.fault

    assert fault is SIGNATURE_INVALID


# --- what is written -------------------------------------------------------------------------------------------------


def test_uhi_form_is_an_object_of_exactly_six_strings() -> None:
    """The reference implementation refuses any other member."""
    written = authorization.write(HEADER, HeaderForm.JSON)

    assert json.loads(written) == JSON_MEMBERS
    assert written == json.dumps(JSON_MEMBERS, separators=(",", ":"))


def test_beckn_form_is_the_canonical_one() -> None:
    """BECKN-006: quoted values, commas without spaces."""
    written = authorization.write(HEADER, HeaderForm.SIGNATURE)

    assert written == (
        'Signature keyId="clinic.hspa|k1|ed25519",algorithm="ed25519",created="1699999995",expires="1700000005",'
        f'headers="(created) (expires) digest",signature="{SIGNATURE_TEXT}"'
    )


PART = st.text("abcXYZ019._:-", min_size=1, max_size=255)
TIME = st.integers(0, 10**11 - 1)


@settings(deadline=None)
@given(
    header=st.builds(SignatureHeader, PART, PART, TIME, TIME, st.binary(min_size=64, max_size=64)),
    form=st.sampled_from(HeaderForm),
)
def test_what_is_written_is_read_back(header: SignatureHeader, form: HeaderForm) -> None:
    """Writing is the inverse of reading, in both forms."""
    assert authorization.parse(authorization.write(header, form)) == header


@given(
    st.from_regex(authorization.KEY_ID_PART, fullmatch=True),
    st.integers(0, 10**11 - 1),
    st.integers(0, 10**11 - 1),
    st.binary(min_size=64, max_size=64),
)
def test_the_spelling_we_write_is_read_as_any_other_spelling_of_it(
    name: str, created: int, expires: int, signature: bytes
) -> None:
    """What we write takes a shorter way through the reader; it must say what the long way says."""
    header = SignatureHeader(name, name, created, expires, signature)
    text = authorization.write(header, HeaderForm.JSON)

    assert authorization.parse(text) == authorization.parse(f" {text}") == header
