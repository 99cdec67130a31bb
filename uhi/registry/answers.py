"""Is this the pinned registry's answer to this very question? Checked over the raw bytes, before anything is parsed.

Pure. Above: `network`; below: signing. Source: decision 26 (`X-Registry-Authorization`, `registry_seq`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uhi import strict_json
from uhi.errors import Refusal
from uhi.exchange.trust import RegistryTrust
from uhi.faults import SIGNATURE_INVALID
from uhi.ports import Reply
from uhi.signing import UHI, Window, check_window, verify
from uhi.signing.authorization import parse
from uhi.strict_json import JsonLimits

SIGNATURE_HEADER = "x-registry-authorization"

_SEQ, _TIME, _DIGEST = "registry_seq", "registry_time", "request_digest"
_LIMITS = JsonLimits(nodes=250_000)
_WINDOW = Window(future=5, lifetime=60)


@dataclass(frozen=True, slots=True)
class Marks:
    """What a signed answer says of itself: the number of the registry's last change, and its time (Unix seconds)."""

    seq: int
    time: float


def read_signed(reply: Reply, *, digest: str, trust: RegistryTrust) -> tuple[object, Marks]:
    """The value and the marks of a signed answer to the question with this base64 digest.

    The signature's times are held against the registry's own: that the answer is of this moment follows from the
    digest of a question that nobody asked before, whatever our clock shows.
    Raises: Refusal(SIGNATURE_INVALID), Refusal(JSON_INVALID) for anything else.
    """
    text = reply.headers.get(SIGNATURE_HEADER)
    if text is None:
        raise _refused("the registry's answer is not signed")
    header = parse(text)
    key = trust.keys.get(header.key_id) if header.subscriber_id == trust.registry_id else None
    if key is None:
        raise _refused(
            "somebody else signed the registry's answer",
            got=f"{header.subscriber_id} {header.key_id}",
            expected=f"{trust.registry_id} with one of {', '.join(sorted(trust.keys))}",
        )
    verify(reply.body, header, key=key, profile=UHI)
    value = strict_json.parse(reply.body, _LIMITS)
    marks = _marks(value, digest)
    check_window(header, now=marks.time, window=_WINDOW)
    return value, marks


def _marks(value: object, digest: str) -> Marks:
    objects = value if isinstance(value, list) else [value]
    found = {_read_marks(each, digest) for each in objects}
    if len(found) != 1:
        raise _refused("the registry's answer is not numbered, or more than once")
    return found.pop()


def _read_marks(value: object, digest: str) -> Marks:
    if not isinstance(value, Mapping):
        raise _refused("the registry's answer is not numbered")
    seq, time = value.get(_SEQ), value.get(_TIME)
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise _refused("the registry's answer is not numbered", expected=f"{_SEQ}: a whole number")
    if not isinstance(time, int | float) or isinstance(time, bool) or time < 0:
        raise _refused("the registry's answer has no time", expected=f"{_TIME}: Unix seconds")
    if value.get(_DIGEST) != digest:
        raise _refused("the registry's answer is one to another question", expected=f"{_DIGEST} of what was asked")
    return Marks(seq, float(time))


def _refused(what: str, *, got: str = "", expected: str = "") -> Refusal:
    return Refusal(SIGNATURE_INVALID, what, got=got, expected=expected)
