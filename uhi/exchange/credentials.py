"""Steps 1 to 3 of a door: what a request carries before anybody is asked who the signer is.

Pure: request and time in, `Credentials` or Refusal out. Source: UHI guide 1.2 (headers), decision "The doors".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from uhi.actions import Limits
from uhi.errors import Refusal
from uhi.faults import BODY_TOO_LARGE, BODY_TYPE, SIGNATURE_INVALID, SIGNATURE_MISSING
from uhi.ports import Inbound
from uhi.signing import SignatureHeader, Window, body_digest, check_digest_header, check_window
from uhi.signing.authorization import parse

GATEWAY_HEADERS = ("x-gateway-authorization", "proxy-authorization")
_IDENTITY = {"", "identity"}
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}


@dataclass(frozen=True, slots=True)
class Credential:
    """One signature header: as it came, and read."""

    value: str = field(repr=False)
    header: SignatureHeader


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers of a request and the base64 digest of its body, empty as long as the body is not there."""

    sender: Credential | None
    gateway: Credential | None
    digest: str

    @property
    def hop(self) -> Credential:
        """The header of who handed the message to us: the gateway's where there is one."""
        hop = self.gateway or self.sender
        if hop is None:
            raise Refusal(SIGNATURE_MISSING)
        return hop


@contextmanager
def blaming_gateway() -> Iterator[None]:
    """Mark refusals inside as being about the gateway's header (answered with `Proxy-Authenticate`)."""
    try:
        yield
    except Refusal as refusal:
        refusal.gateway_header = True
        raise


def is_forwarded(inbound: Inbound) -> bool:
    """Whether a gateway's header is there, good or bad."""
    headers = inbound.headers
    return bool(headers.get(GATEWAY_HEADERS[0]) or headers.get(GATEWAY_HEADERS[1]))


def check_http(inbound: Inbound, limits: Limits) -> None:
    """Step 1, the part about the body: size, content type, no Content-Encoding.

    Raises: Refusal(BODY_TOO_LARGE), Refusal(BODY_TYPE).
    """
    if len(inbound.body) > limits.body:
        raise Refusal(
            BODY_TOO_LARGE, "the body is too large", got=f"{len(inbound.body)} bytes", expected=f"at most {limits.body}"
        )
    check_content(inbound.headers.get("content-type", ()), inbound.headers.get("content-encoding", ()))


def check_content(types: tuple[str, ...], encodings: tuple[str, ...]) -> None:
    """Only one `application/json`, in UTF-8, not encoded, is read.

    Raises: Refusal(BODY_TYPE).
    """
    if encodings and any(encoding.strip().lower() not in _IDENTITY for encoding in encodings):
        raise Refusal(
            BODY_TYPE, "the body is encoded", expected="no Content-Encoding", next_step="send the plain bytes"
        )
    if len(types) != 1 or not _is_json(types[0]):
        raise Refusal(BODY_TYPE, "the content type is not JSON", expected="Content-Type: application/json")


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = [value.strip('"') for value in (p.partition("=")[2] for p in parameters if p.startswith("charset="))]
    return media == "application/json" and all(value in _UTF8 for value in charset)


def read_head(inbound: Inbound, *, sender_required: bool) -> Credentials:
    """Steps 1 and 2, the part that needs no body: how many headers there are, and their grammar.

    Raises: Refusal(SIGNATURE_MISSING), Refusal(SIGNATURE_INVALID).
    """
    mine = inbound.headers.get("authorization", ())
    if len(mine) > 1:
        raise Refusal(SIGNATURE_INVALID, "Authorization is there more than once", expected="exactly one")
    if not mine and sender_required:
        raise Refusal(SIGNATURE_MISSING, "the Authorization header is missing", next_step="sign the request")
    sender = Credential(mine[0], parse(mine[0])) if mine else None
    return Credentials(sender, _gateway(inbound), digest="")


def read_credentials(inbound: Inbound, *, sender_required: bool) -> Credentials:
    """Steps 1 and 2, the part about headers: as `read_head`, and `Digest` where it is present.

    Raises: Refusal(SIGNATURE_MISSING), Refusal(SIGNATURE_INVALID).
    """
    head = read_head(inbound, sender_required=sender_required)
    digest = body_digest(inbound.body)
    for value in inbound.headers.get("digest", ()):
        check_digest_header(value, digest=digest)
    return Credentials(head.sender, head.gateway, digest)


def _gateway(inbound: Inbound) -> Credential | None:
    for name in GATEWAY_HEADERS:
        values = inbound.headers.get(name)
        if values:
            with blaming_gateway():
                if len(values) > 1:
                    raise Refusal(SIGNATURE_INVALID, f"{name} is there more than once", expected="at most one")
                return Credential(values[0], parse(values[0]))
    return None


def check_times(credentials: Credentials, *, now: float, window: Window) -> None:
    """Step 3: both headers are within their time.

    Raises: Refusal(SIGNATURE_INVALID).
    """
    if credentials.sender is not None:
        check_window(credentials.sender.header, now=now, window=window)
    if credentials.gateway is not None:
        with blaming_gateway():
            check_window(credentials.gateway.header, now=now, window=window)
