"""The value of a signature header: both forms read into one value liberally, and either written strictly.

Below: `strict_json`; above: `sign` and `exchange`. The form is found from the text; which profile counts is pinned to
the key, not to the form. Sources: NHA's signing document (JSON object), Beckn document BECKN-006 (`Signature …`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import SIGNATURE_INVALID
from uhi.signing import base64_text
from uhi.signing.profiles import HeaderForm

LONGEST_VALUE = 8_190
"""The longest header value that is read, in characters."""

ALGORITHM = "ed25519"
SIGNED_PARTS = "(created) (expires) digest"

KEY_ID_PART = re.compile(r"[A-Za-z0-9._:-]{1,255}")
"""What can stand in a keyId as a subscriber id or a key id."""

_SPELLINGS_OF_PARTS = frozenset({SIGNED_PARTS, SIGNED_PARTS.replace(" ", "")})
_SIGNATURE_LENGTH = 64
_SIGNATURE_TEXT_LENGTH = 88
_BLANKS = " \t\r\n"
_FLAT = strict_json.JsonLimits(depth=1, nodes=64)

_SCHEME = re.compile(r"signature[ \t\r\n]+", re.IGNORECASE)
_PARAMETER = re.compile(
    r"""[ \t\r\n]*([A-Za-z][A-Za-z0-9_-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"\\]*)"|([0-9]+))[ \t\r\n]*(,|\Z)"""
)
_KEY_ID = re.compile(rf"({KEY_ID_PART.pattern})\|({KEY_ID_PART.pattern})\|{ALGORITHM}")
# A zero in front would be lost on the way through int, and with it what was signed.
_TIME = re.compile(r"0|[1-9][0-9]{0,10}")
_AS_WRITTEN = re.compile(
    rf'\{{"headers":"{re.escape(SIGNED_PARTS)}","expires":"({_TIME.pattern})","signature":"([A-Za-z0-9+/]{{86}}==)",'
    rf'"created":"({_TIME.pattern})","keyId":"{_KEY_ID.pattern}","algorithm":"{ALGORITHM}"\}}'
)


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """What a signature header says: who signed with which key, from when to when (Unix seconds), and the signature."""

    subscriber_id: str
    key_id: str
    created: int
    expires: int
    signature: bytes = field(repr=False)


def parse(value: str) -> SignatureHeader:
    """Read a header value in either form.

    Tolerated: any order, white space, unknown attributes, integers without quotes, `headers` absent or without
    spaces; in the `Signature` form any case of the scheme and one pair of quotes around the whole.

    Raises: Refusal(SIGNATURE_INVALID) for anything else.
    """
    if len(value) > LONGEST_VALUE:
        raise _refusal("is too long", got=f"{len(value)} characters", expected=f"at most {LONGEST_VALUE}")
    if not value.isascii():
        raise _refusal("holds characters outside ASCII")
    # The spelling of the signing document, letter by letter, needs no parser: it is most of what arrives.
    written = _AS_WRITTEN.fullmatch(value)
    if written is not None:
        expires, signature, created, subscriber_id, key_id = written.groups()
        return SignatureHeader(subscriber_id, key_id, int(created), int(expires), _signature(signature))
    text = value.strip(_BLANKS)
    attributes = _json_members(text) if text.startswith("{") else _signature_attributes(text)
    return _header(attributes)


def write(header: SignatureHeader, form: HeaderForm) -> str:
    """The header value: UHI's JSON object of exactly six strings, or Beckn's canonical `Signature …`."""
    key_id = f"{header.subscriber_id}|{header.key_id}|{ALGORITHM}"
    signature = base64_text.encode(header.signature)
    if form is HeaderForm.JSON:
        return (
            f'{{"headers":"{SIGNED_PARTS}","expires":"{header.expires}","signature":"{signature}",'
            f'"created":"{header.created}","keyId":"{key_id}","algorithm":"{ALGORITHM}"}}'
        )
    return (
        f'Signature keyId="{key_id}",algorithm="{ALGORITHM}",created="{header.created}",expires="{header.expires}",'
        f'headers="{SIGNED_PARTS}",signature="{signature}"'
    )


def _json_members(text: str) -> Mapping[str, object]:
    problem = ""
    members: object = None
    try:
        members = strict_json.parse(text.encode("ascii"), _FLAT)
    except Refusal as refusal:
        problem = refusal.what
    if not isinstance(members, dict):
        raise _refusal(f"is not a flat JSON object ({problem})", expected="a JSON object of text and integers")
    return members


def _signature_attributes(text: str) -> Mapping[str, object]:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip(_BLANKS)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise _refusal("has an unknown form", expected="a JSON object or the scheme Signature")
    attributes: dict[str, object] = {}
    position = scheme.end()
    while True:
        found = _PARAMETER.match(text, position)
        if found is None:
            raise _refusal(f"cannot be read from character {position}", expected='name="value", separated by commas')
        name, quoted, digits, separator = found.groups()
        if name in attributes:
            raise _refusal("repeats an attribute", got=_shown(name))
        attributes[name] = digits if quoted is None else quoted
        if not separator:
            return attributes
        position = found.end()


def _header(attributes: Mapping[str, object]) -> SignatureHeader:
    algorithm = _text(attributes, "algorithm")
    if algorithm != ALGORITHM:
        raise _refusal("names another algorithm", got=_shown(algorithm), expected=ALGORITHM)
    if "headers" in attributes and attributes["headers"] not in _SPELLINGS_OF_PARTS:
        raise _refusal("signs other parts", got=_shown(attributes["headers"]), expected=SIGNED_PARTS)
    key_id = _KEY_ID.fullmatch(_text(attributes, "keyId"))
    if key_id is None:
        raise _refusal(
            "has a keyId that cannot be read",
            got=_shown(attributes["keyId"]),
            expected=f"subscriber|key|{ALGORITHM}, each of 1 to 255 letters, digits and ._:-",
        )
    return SignatureHeader(
        subscriber_id=key_id[1],
        key_id=key_id[2],
        created=_time(attributes, "created"),
        expires=_time(attributes, "expires"),
        signature=_signature(_text(attributes, "signature")),
    )


def _text(attributes: Mapping[str, object], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str):
        raise _refusal(f"has no {name}", got="nothing" if value is None else type(value).__name__, expected="text")
    return value


def _time(attributes: Mapping[str, object], name: str) -> int:
    value = attributes.get(name)
    if value is None:
        raise _refusal(f"has no {name}", expected="Unix seconds")
    if isinstance(value, (str, int)) and not isinstance(value, bool) and _TIME.fullmatch(str(value)):
        return int(value)
    raise _refusal(
        f"has a {name} that is no plain integer", got=_shown(value), expected="Unix seconds, up to 11 digits"
    )


def _signature(text: str) -> bytes:
    raw = b""
    if len(text) == _SIGNATURE_TEXT_LENGTH:
        try:
            raw = base64_text.decode(text)
        except ValueError:
            raise _refusal(
                "has a signature that is not canonical base64", expected="the padded standard alphabet"
            ) from None
    if len(raw) != _SIGNATURE_LENGTH:
        raise _refusal(
            "has a signature of the wrong length",
            got=f"{len(text)} characters",
            expected=f"{_SIGNATURE_TEXT_LENGTH} characters of base64 ({_SIGNATURE_LENGTH} bytes)",
        )
    return raw


def _shown(value: object) -> str:
    return ascii(value)[:60]


def _refusal(what: str, *, got: str = "", expected: str = "") -> Refusal:
    return Refusal(SIGNATURE_INVALID, f"signature header {what}", got=got, expected=expected)
