"""Why a signature does not fit: what else it would fit. Only ever a hint for people; nothing here is accepted.

Pure. Below: `uhi.signing`; above: `explain`. The list is what goes wrong in first integrations.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from uhi import strict_json
from uhi.errors import Refusal
from uhi.signing import Profile, PublicKey, SignatureHeader, authorization, body_digest, verify_bytes
from uhi.strict_json import JsonLimits

_BOM = b"\xef\xbb\xbf"
_LIMITS = JsonLimits(nodes=250_000)
_SENT_AND_SIGNED = "sign the very bytes that are sent, and send the very bytes that were signed"

Finish = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Way:
    """A way from digest to signed bytes: the joiner of the signing string, and what is done with the string."""

    name: str
    joiner: str
    finish: Finish

    def signed_bytes(self, header: SignatureHeader, digest: str) -> bytes:
        """What would have been signed this way."""
        parts = (f"(created): {header.created}", f"(expires): {header.expires}", f"digest: BLAKE-512={digest}")
        return self.finish(self.joiner.join(parts).encode())


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a signature is tried against, and what is said where it fits."""

    digest: str
    way: Way
    finding: str


def _plain(text: bytes) -> bytes:
    return text


def _hashed(text: bytes) -> bytes:
    return b64encode(hashlib.blake2b(text).digest())


def _hashed_raw(text: bytes) -> bytes:
    return hashlib.blake2b(text).digest()


def _hashed_hex(text: bytes) -> bytes:
    return hashlib.blake2b(text).hexdigest().encode()


_PROFILES = {"uhi": Way("uhi", " ", _hashed), "beckn": Way("beckn", "\n", _plain)}
_MIXTURES = (
    Way("parts joined by spaces, but the signing string itself signed and not its hash", " ", _plain),
    Way("parts joined by newlines as in profile beckn, but hashed as in profile uhi", "\n", _hashed),
    Way("the raw hash of the signing string signed, and not its base64", " ", _hashed_raw),
    Way("the hash of the signing string signed in hex, and not in base64", " ", _hashed_hex),
)


def find_cause(body: bytes, header: SignatureHeader, *, key: PublicKey, profile: Profile) -> str:
    """What the signature fits instead, in a sentence with what to do; empty where it fits nothing that is tried."""
    for attempt in _attempts(body, profile):
        with suppress(Refusal):
            verify_bytes(attempt.way.signed_bytes(header, attempt.digest), header.signature, key=key)
            return attempt.finding
    return ""


def find_header_cause(text: str) -> str:
    """Why a header's text cannot be read, where a small change makes it readable; else empty."""
    for changed, cause in (
        (text.partition(":")[2], "it begins with the header's name: give only what follows the colon"),
        (text.replace('\\"', '"'), 'its quotes are escaped (\\"): give the plain text, in single quotes for the shell'),
        (text.strip().strip("'\""), "it stands in quotes of its own: remove them"),
    ):
        with suppress(Refusal):
            authorization.parse(changed)
            return cause
    if text.lstrip().startswith("{") and '"' not in text:
        return "it holds no double quotes: the shell has taken them, so put the header in single quotes"
    return ""


def _attempts(body: bytes, profile: Profile) -> Iterator[_Signed]:
    """Everything that is tried, the likeliest first."""
    given = _PROFILES[profile.name]
    others = [way for way in _PROFILES.values() if way is not given]
    digest = body_digest(body)
    for way in others:
        yield _Signed(digest, way, f"it was made with profile {way.name}: {_use(way, profile)}")
    for way in _MIXTURES:
        yield _Signed(digest, way, f"it mixes the two profiles ({way.name}): {_correct(profile)}")
    for hashed, name in _other_digests(body):
        yield _Signed(hashed, given, f"the body was hashed with {name}: the digest is base64 of BLAKE2b-512")
    spelled = _digests_of_other_bodies(body)
    for way in (given, *others):
        also = "" if way is given else f", and made with profile {way.name}"
        for hashed, description in spelled:
            yield _Signed(hashed, way, f"it fits {description}{also}: {_SENT_AND_SIGNED}")


def _use(other: Way, profile: Profile) -> str:
    return f"give --profile {other.name} here, or sign with profile {profile.name} there"


def _correct(profile: Profile) -> str:
    return f"uhi sign --json --profile {profile.name} shows the signing string to compare with"


def _other_digests(body: bytes) -> Iterator[tuple[str, str]]:
    yield hashlib.blake2b(body).hexdigest(), "BLAKE2b-512 written in hex"
    yield _base64(hashlib.blake2b(body, digest_size=32).digest()), "BLAKE2b-256"
    yield _base64(hashlib.blake2s(body).digest()), "BLAKE2s"
    yield _base64(hashlib.sha512(body).digest()), "SHA-512"
    yield _base64(hashlib.sha256(body).digest()), "SHA-256"


def _digests_of_other_bodies(body: bytes) -> list[tuple[str, str]]:
    """The digests of bodies that look the same to a person, each once, with their descriptions."""
    found: dict[str, str] = {}
    for changed, description in chain(_other_ends(body), _other_spellings(body)):
        found.setdefault(body_digest(changed), description)
    found.pop(body_digest(body), None)
    return list(found.items())


def _other_ends(body: bytes) -> Iterator[tuple[bytes, str]]:
    yield body + b"\n", "this body with a newline at its end"
    yield body.removesuffix(b"\n"), "this body without the newline at its end"
    yield body + b"\r\n", "this body with CR LF at its end"
    yield body.rstrip(), "this body without the white space at its end"
    yield body.strip(), "this body without the white space around it"
    yield body.replace(b"\r\n", b"\n"), "this body with LF in place of CR LF"
    yield body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), "this body with CR LF in place of LF"
    yield body.removeprefix(_BOM), "this body without the byte order mark at its beginning"
    yield _BOM + body, "this body with a byte order mark at its beginning"
    yield b"", "an empty body"


def _other_spellings(body: bytes) -> Iterator[tuple[bytes, str]]:
    try:
        value = strict_json.parse(body, _LIMITS)
    except Refusal:
        return
    for how, options in (
        ("without white space", {"separators": (",", ":")}),
        ("as Python's json.dumps writes it", {}),
        ("indented by 2", {"indent": 2}),
        ("indented by 4", {"indent": 4}),
        ("with sorted names", {"separators": (",", ":"), "sort_keys": True}),
        ("with sorted names, as Python's json.dumps writes it", {"sort_keys": True}),
    ):
        for is_ascii in (False, True):
            text = json.dumps(value, ensure_ascii=is_ascii, **options)
            letters = ", other letters than ASCII escaped" if is_ascii else ""
            yield text.encode(), f"the same JSON written again {how}{letters}"
    whole = json.dumps(_whole_numbers(value), ensure_ascii=False, separators=(",", ":"))
    yield whole.encode(), "the same JSON written again as JavaScript writes it (500.0 becomes 500)"


def _whole_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")
