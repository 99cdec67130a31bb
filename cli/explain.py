"""A signature checked step by step, as the doors of the library do it, with everything that was computed on the way.

Pure. The verdicts are those of `uhi.signing`; this module only writes down what it saw. Below: `diagnosis`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.diagnosis import find_cause, find_header_cause
from uhi.errors import Refusal, UhiError
from uhi.signing import (
    Profile,
    PublicKey,
    SignatureHeader,
    Window,
    authorization,
    body_digest,
    check_window,
    signed_bytes,
    signing_string,
    verify_digest,
)

Facts = tuple[tuple[str, str], ...]

_COMPUTED = "computed"
_NOT_REACHED = "not reached"
_NEXT_IF_NOTHING_FITS = (
    "none of the usual reasons fits (other profile, newline at the end, JSON written again, other hash): compare the "
    "digest above with the sender's; if it is the same, the public key is not the signer's; if not, the body is another"
)


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be checked: the body, the header's text, how the key is read, the profile, and the time."""

    body: bytes
    header: str
    key: Callable[[], PublicKey]
    profile: Profile
    now: int
    window: Window


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what was seen, what is wrong (None: nothing), and its verdict where nothing is wrong."""

    name: str
    facts: Facts = ()
    problem: UhiError | None = None
    otherwise: str = "ok"

    @property
    def verdict(self) -> str:
        """`ok`, `FAILED`, `computed` where nothing was to be judged, or `not reached`."""
        return "FAILED" if self.problem else self.otherwise


@dataclass(frozen=True, slots=True)
class Explanation:
    """All steps in order, who signed where that could be read, and what to do about what failed."""

    steps: tuple[Step, ...]
    header: SignatureHeader | None
    advice: tuple[str, ...]

    @property
    def problem(self) -> UhiError | None:
        """What is wrong in the first step that failed; None when the signature is verified."""
        return next((step.problem for step in self.steps if step.problem), None)


def explain(case: Case) -> Explanation:
    """Take every step that can be taken, also after one that failed."""
    read_header, header = _header_step(case)
    read_key, key = _key_step(case)
    digest = body_digest(case.body)
    steps = [
        read_header,
        _time_step(case, header),
        read_key,
        _digest_step(case.body, digest),
        _string_step(case.profile, header, digest),
        _signature_step(case.profile, header, key, digest),
    ]
    return Explanation(tuple(steps), header, tuple(_advice(case, steps, header, key)))


def _header_step(case: Case) -> tuple[Step, SignatureHeader | None]:
    name = "header"
    form = (
        "JSON object, as UHI writes it" if case.header.lstrip().startswith("{") else "Signature …, as Beckn writes it"
    )
    try:
        header = authorization.parse(case.header)
    except Refusal as refusal:
        return Step(name, (("length", f"{len(case.header)} characters"),), refusal), None
    facts = (
        ("form", form),
        ("subscriber", header.subscriber_id),
        ("key id", header.key_id),
        ("created", _moment(header.created)),
        ("expires", _moment(header.expires)),
        ("signature", f"{len(header.signature)} bytes"),
    )
    return Step(name, facts), header


def _time_step(case: Case, header: SignatureHeader | None) -> Step:
    name = "time"
    if header is None:
        return Step(name, otherwise=_NOT_REACHED)
    facts = (
        ("created", f"{header.created}, {_difference(header.created - case.now)}"),
        ("expires", f"{header.expires}, {_difference(header.expires - case.now)}"),
        ("now", _moment(case.now)),
        ("lifetime", f"{header.expires - header.created} s, allowed are 1 to {case.window.lifetime} s"),
        ("tolerance", f"created up to {case.window.future} s in the future; none for expires"),
    )
    return Step(name, facts, _refused(lambda: check_window(header, now=case.now, window=case.window)))


def _key_step(case: Case) -> tuple[Step, PublicKey | None]:
    name = "public key"
    try:
        key = case.key()
    except UhiError as error:
        return Step(name, (), error), None
    return Step(name, (("SPKI", key.spki_base64()), ("raw", key.raw_base64()))), key


def _digest_step(body: bytes, digest: str) -> Step:
    end = "ends with a newline" if body.endswith(b"\n") else "no newline at its end"
    facts = (
        ("body", f"{len(body)} bytes, {end}" if body else "empty"),
        ("digest", digest),
        ("Digest header", f"BLAKE-512={digest}"),
    )
    return Step("body digest", facts, otherwise=_COMPUTED)


def _string_step(profile: Profile, header: SignatureHeader | None, digest: str) -> Step:
    name = "signing string"
    if header is None:
        return Step(name, otherwise=_NOT_REACHED)
    text = signing_string(profile, created=header.created, expires=header.expires, digest=digest)
    signed = signed_bytes(profile, text)
    how = signed.decode() if profile.hashes_signing_string else f"the signing string itself, {len(signed)} bytes"
    return Step(name, (("profile", profile.name), ("signing string", text), ("bytes signed", how)), otherwise=_COMPUTED)


def _signature_step(profile: Profile, header: SignatureHeader | None, key: PublicKey | None, digest: str) -> Step:
    name = "signature"
    if header is None or key is None:
        return Step(name, otherwise=_NOT_REACHED)
    refusal = _refused(lambda: verify_digest(digest, header, key=key, profile=profile))
    return Step(name, () if refusal else (("Ed25519", "fits these bytes and this key"),), refusal)


def _advice(case: Case, steps: list[Step], header: SignatureHeader | None, key: PublicKey | None) -> list[str]:
    advice = []
    if header is None:
        cause = find_header_cause(case.header)
        advice.append(f"header: {cause}" if cause else "header: give the value exactly as it was received")
    elif steps[1].problem is not None:
        at = f"to check it as of the time it was made, add --now {header.created}"
        advice.append(f"time: {steps[1].problem.next_step}; {at}")
    if steps[2].problem is not None:
        advice.append(f"public key: {steps[2].problem.next_step or 'take the signing key of the registry'}")
    if steps[-1].problem is not None and header is not None and key is not None:
        cause = find_cause(case.body, header, key=key, profile=case.profile)
        advice.append(f"signature: {cause or _NEXT_IF_NOTHING_FITS}")
    return advice


def _refused(check: Callable[[], None]) -> Refusal | None:
    try:
        check()
    except Refusal as refusal:
        return refusal
    return None


def _moment(seconds: int) -> str:
    return f"{seconds} ({datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC)"


def _difference(seconds: int) -> str:
    if seconds == 0:
        return "just now"
    days, rest = divmod(abs(seconds), 86_400)
    span = f"{days:,} days and {rest} s" if days else f"{rest} s"
    return f"{span} ahead of now" if seconds > 0 else f"{span} ago"
