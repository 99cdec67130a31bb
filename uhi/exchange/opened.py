"""Steps 1 to 6 of the door: from a POST to a message whose signatures, JSON and form are checked.

Makes no verified message itself: only `receive`, above, holds the proof for that. Source: decision "The doors".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Generic, TypeVar

from uhi import strict_json
from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.exchange.credentials import (
    Credential,
    Credentials,
    blaming_gateway,
    check_http,
    check_times,
    read_credentials,
    read_head,
)
from uhi.exchange.parties import check_id, id_of
from uhi.exchange.signers import check_signature, gateway_signer, known_signer, named_sender
from uhi.exchange.trust import SendersSignature, Trust
from uhi.faults import MESSAGE_INVALID, SIGNATURE_INVALID, SIGNER_NOT_SENDER
from uhi.messages import Context, Envelope, Error
from uhi.messages.envelope import read
from uhi.messages.wire import Wire
from uhi.ports import Inbound
from uhi.signing import Profile
from uhi.strict_json import JsonLimits
from uhi.subscribers import Record, Role, Subscriber

M = TypeVar("M", bound=Wire)

LARGE = 65_536
"""From how many bytes on a body is not taken from somebody whom the registry does not know."""


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


async def check_head(inbound: Inbound, leg: Leg[Wire] | None, trust: Trust, *, size: int | None) -> None:
    """What can be refused before the body is there: too many requests, and what fails in steps 1–4.

    `inbound` has no body yet; `size` is how many bytes of it are still to come, None where nobody says. The registry is
    asked only for what may be large, and not without a leg: where members are made, who comes need not be one.
    Raises: Refusal with the fault of the first step that fails.
    """
    if trust.rates is not None:
        await trust.rates.check_address(inbound.address)
    if size == 0:
        return
    credentials = read_head(inbound, sender_required=leg is None or _needs_sender(leg, trust))  # 1, 2
    check_times(credentials, now=trust.clock.now(), window=trust.window)  # 3
    if leg is None or (leg.limits.body if size is None else size) < LARGE:
        return
    if credentials.sender is not None:
        _check_key(inbound, credentials.sender, trust)
        await known_signer(credentials.sender.header, leg.senders, trust)  # 4
    if credentials.gateway is not None:
        with blaming_gateway():
            await known_signer(credentials.gateway.header, (Role.GATEWAY,), trust)  # 4


async def open_message(inbound: Inbound, leg: Leg[M], trust: Trust) -> Opened[M]:
    """Steps 1–6 for a leg.

    Raises: Refusal with the fault of the first step that fails; Refusal(RATE_LIMITED) when it is too much from one
    subscriber, or after too many bad signatures under one key.
    """
    check_http(inbound, leg.limits)  # 1
    credentials = read_credentials(inbound, sender_required=_needs_sender(leg, trust))  # 1, 2
    check_times(credentials, now=trust.clock.now(), window=trust.window)  # 3
    record: Record | None = None
    gateway: Record | None = None
    if credentials.sender is not None:
        record = await _sender(inbound, credentials, leg, trust)  # 4, 5
    if credentials.gateway is not None:
        gateway = await gateway_signer(credentials.gateway, credentials.digest, trust)  # 4, 5
    elif record is not None and trust.rates is not None:
        await trust.rates.check_sender(record.subscriber, leg)
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


def _needs_sender(leg: Leg[Wire], trust: Trust) -> bool:
    return not leg.forwarded or trust.senders_signature is SendersSignature.REQUIRED


def _check_key(inbound: Inbound, credential: Credential, trust: Trust) -> None:
    if trust.rates is not None:
        trust.rates.check_key(inbound.address, credential.header)


async def _sender(inbound: Inbound, credentials: Credentials, leg: Leg[M], trust: Trust) -> Record:
    credential = credentials.sender
    if credential is None:
        raise Refusal(SIGNER_NOT_SENDER)
    _check_key(inbound, credential, trust)
    record = await known_signer(credential.header, leg.senders, trust)  # 4
    try:
        return await check_signature(record, credential, credentials.digest, trust)  # 5
    except Refusal as refusal:
        rates = trust.rates if refusal.fault is SIGNATURE_INVALID else None
        if rates is not None and not await _is_a_gateways(record, credentials, trust):
            await rates.count_bad_signature(inbound.address, credential.header)
        raise


async def _is_a_gateways(record: Record, credentials: Credentials, trust: Trust) -> bool:
    """A gateway passes on what others signed, and must not be silenced for that."""
    if record.subscriber.role is Role.GATEWAY:
        return True
    if credentials.gateway is None:
        return False
    try:
        await gateway_signer(credentials.gateway, credentials.digest, trust)
    except Refusal:
        return False
    return True


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
    check_id(named, role)
    return await named_sender(named, role, trust.registry)
