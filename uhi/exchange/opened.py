"""Steps 1 to 6 of the door: from a POST to a message whose signatures, JSON and form are checked.

Makes no verified message itself: only `receive`, above, holds the proof for that. Source: decision "The doors".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Generic, TypeVar

from uhi import strict_json
from uhi.actions import Leg
from uhi.errors import MESSAGE_INVALID, SIGNER_NOT_SENDER, Refusal
from uhi.exchange.credentials import Credentials, check_http, check_times, read_credentials
from uhi.exchange.parties import id_of
from uhi.exchange.signers import gateway_signer, named_sender, signer
from uhi.exchange.trust import SendersSignature, Trust
from uhi.messages import Context, Envelope, Error
from uhi.messages.envelope import read
from uhi.messages.wire import Wire
from uhi.ports import Inbound
from uhi.signing import Profile
from uhi.strict_json import JsonLimits
from uhi.subscribers import Record, Subscriber

M = TypeVar("M", bound=Wire)


@dataclass(frozen=True, slots=True)
class Opened(Generic[M]):
    """A message after step 6. `hop_profile` is the signing profile of whoever handed it to us."""

    message: M | None = field(repr=False)
    context: Context | None
    error: Error | None
    sender: Subscriber
    via: Subscriber | None
    credentials: Credentials
    hop_profile: Profile
    raw: bytes = field(repr=False)

    @property
    def expires(self) -> int:
        """When the sender's signature ends (the hop's, where a gateway dropped it), Unix seconds."""
        return (self.credentials.sender or self.credentials.hop).header.expires


async def open_message(inbound: Inbound, leg: Leg[M], trust: Trust) -> Opened[M]:
    """Steps 1–6 for a leg.

    Raises: Refusal with the fault of the first step that fails.
    """
    check_http(inbound, leg.limits)  # 1
    sender_required = not leg.forwarded or trust.senders_signature is SendersSignature.REQUIRED
    credentials = read_credentials(inbound, sender_required=sender_required)  # 1, 2
    check_times(credentials, now=trust.clock.now(), window=trust.window)  # 3
    record: Record | None = None
    gateway: Record | None = None
    if credentials.sender is not None:
        record = await signer(credentials.sender, credentials.digest, leg.senders, trust)  # 4, 5
    if credentials.gateway is not None:
        gateway = await gateway_signer(credentials.gateway, credentials.digest, trust)  # 4, 5
    message, context, error = parse_body(inbound.body, leg)  # 6
    hop = gateway or record
    if hop is None:
        raise Refusal(SIGNER_NOT_SENDER)
    return Opened(
        message=message,
        context=context,
        error=error,
        sender=record.subscriber if record else await _named(context, leg, trust),
        via=gateway.subscriber if gateway else None,
        credentials=credentials,
        hop_profile=hop.key.profile,
        raw=inbound.body,
    )


def parse_body(body: bytes, leg: Leg[M]) -> tuple[M | None, Context | None, Error | None]:
    """Step 6: strict JSON and the message's model; what is there of message, context and error.

    Raises: Refusal(JSON_INVALID), Refusal(MESSAGE_INVALID).
    """
    value = strict_json.parse(body, _json_limits(leg.limits.nodes))
    if not leg.has_context:
        return read(value, leg.kind), None, None
    envelope = read(value, _envelope(leg.kind))
    if envelope.context.action not in leg.accepts:
        raise Refusal(
            MESSAGE_INVALID,
            f"context.action does not fit the path {leg.path}",
            expected=" or ".join(leg.accepts),
            path="$.context.action",
        )
    return envelope.message, envelope.context, envelope.error


@cache
def _json_limits(nodes: int) -> JsonLimits:
    return JsonLimits(nodes=nodes)


@cache
def _envelope(kind: type[M]) -> type[Envelope[M]]:
    return Envelope[kind]  # type: ignore[valid-type]  # pydantic builds the class from a value


async def _named(context: Context | None, leg: Leg[M], trust: Trust) -> Subscriber:
    role = leg.senders[0]
    named = id_of(context, role) if context else None
    if not named:
        raise Refusal(
            SIGNER_NOT_SENDER,
            "nobody signed for the sender and the context names none",
            path=f"$.context.{role.value}_id",
        )
    return await named_sender(named, role, trust.registry)
