"""The one door in: `authenticate` (steps 1–6) and `receive` (all nine) alone make verified messages.

Above: entrances and servers; below: ports and pure decisions. Source: decision "The doors".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from uhi.actions import Leg
from uhi.errors import MESSAGE_ID_REUSED, MESSAGE_INVALID, RATE_LIMITED, REPLAYED, Refusal
from uhi.exchange.admission import Admit, Admitted, Candidate
from uhi.exchange.credentials import is_forwarded
from uhi.exchange.legs import AnyLeg, Legs
from uhi.exchange.opened import Opened, open_message
from uhi.exchange.parties import check_recipient, check_sender, check_ttl, id_of, transaction_of
from uhi.exchange.trust import Trust
from uhi.messages import Context, Error
from uhi.messages.wire import Wire
from uhi.ports import Arrival, Arrived, Inbound, Journal, OpenRequest
from uhi.subscribers import Role, Subscriber
from uhi.verified import Declined, Signed, Thread, Verified, _Proof

M = TypeVar("M", bound=Wire)
_PROOF = _Proof()


@dataclass(frozen=True, slots=True)
class Door:
    """All that stands behind one door: identity and trust, the legs it takes, the journal, and the say on step 8."""

    trust: Trust
    legs: Legs
    journal: Journal
    admit: Admit


@dataclass(frozen=True, slots=True)
class Received:
    """What `receive` says: the message, the leg it is, and the open request it answers."""

    leg: AnyLeg
    message: Verified[Wire] | Declined
    request: OpenRequest | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """The message was accepted before: it gets its ACK again and has no second effect."""

    leg: AnyLeg
    context: Context
    sender: Subscriber


async def authenticate(inbound: Inbound, leg: Leg[M], trust: Trust) -> Signed[M]:
    """Steps 1–6, for services without a conversation, such as the registry.

    1 size, content type, one signature header · 2 header grammar, `Digest` · 3 time window · 4 key from the registry,
    active and of a role that may call this path · 5 signatures over the raw bytes · 6 strict JSON, message model,
    `context.action` fits the path.

    Raises: Refusal with the fault of the first step that fails.
    """
    opened = await open_message(inbound, leg, trust)
    if opened.message is None:
        raise Refusal(MESSAGE_INVALID, "the message is missing", path="$.message")
    return Signed(
        message=opened.message,
        context=opened.context,
        sender=opened.sender,
        via=opened.via,
        signed_by_sender=opened.credentials.sender is not None,
        raw=opened.raw,
        digest=opened.credentials.digest,
        expires=opened.expires,
        proof=_PROOF,
    )


async def receive(inbound: Inbound, door: Door) -> Received | Repeated:
    """All nine steps: the only way to a `Verified` message.

    1–6 as `authenticate`, and somebody handles it · 7 the signer is the party the context names as sender, and the
    message is addressed to us · 8 a callback fits an open request or may come unasked; an explicit ttl has not passed ·
    9 journal: new, repeated or in conflict, in one atomic step.

    Raises: Refusal with the fault of the first step that fails; then nothing has changed.
    """
    legs = door.legs.at(inbound.path, forwarded=is_forwarded(inbound))
    opened = await open_message(inbound, legs[0], door.trust)  # 1–6
    try:
        return await _weigh(opened, legs, door)
    except Refusal as refusal:
        context = opened.context
        ids = (context.transaction_id or "", context.message_id) if context else ("", "")
        refusal.about = (opened.sender.id, *ids)
        raise


async def _weigh(opened: Opened[Wire], legs: tuple[AnyLeg, ...], door: Door) -> Received | Repeated:
    legs = _taken(door.legs.handled(legs), opened)  # 6
    context = opened.context or _without_context()
    check_sender(context, opened.sender)  # 7
    is_addressed = check_recipient(context, legs[0], door.trust.subscriber_id)  # 7
    now = door.trust.clock.now()
    check_ttl(context, now)  # 8
    candidate = Candidate(
        legs=legs,
        message=opened.message,
        context=context,
        transaction_id=transaction_of(context),
        sender=opened.sender,
        is_addressed=is_addressed,
        now=now,
        expires=opened.expires,
    )
    admitted = await door.admit(candidate)  # 8
    arrived = await door.journal.accept(_arrival(opened, candidate, admitted, door.trust.subscriber_id))  # 9
    if arrived is Arrived.REPEATED:
        return Repeated(admitted.leg, context, opened.sender)
    _check_new(arrived, candidate)
    await door.admit.accepted(candidate, admitted)
    return Received(admitted.leg, _verified(opened, candidate, admitted, door.trust), admitted.request)


def _taken(legs: tuple[AnyLeg, ...], opened: Opened[Wire]) -> tuple[AnyLeg, ...]:
    """Step 6, its end: a message (or, on a callback, an error instead) that passes the leg's own check."""
    if opened.message is None:
        answers = tuple(leg for leg in legs if leg.answers)
        if not answers or opened.error is None or opened.error.is_empty:
            raise Refusal(MESSAGE_INVALID, "the message is missing", path="$.message")
        return answers
    for leg in legs:
        if leg.check is not None:
            leg.check(opened.message)
    return legs


def _without_context() -> Context:
    raise Refusal(MESSAGE_INVALID, "the context is missing", path="$.context")


def _arrival(opened: Opened[Wire], candidate: Candidate, admitted: Admitted, receiver: str) -> Arrival:
    leg = admitted.leg
    hop = opened.credentials.hop
    once = opened.hop_profile.replays_are_refused
    return Arrival(
        receiver=receiver,
        signer=opened.sender.id,
        path_role=leg.name,
        message_id=candidate.context.message_id,
        variant="" if leg.single_shot else opened.credentials.digest,
        digest=opened.credentials.digest,
        transaction_id=admitted.request.transaction_id if admitted.request else candidate.transaction_id,
        received_at=candidate.now,
        cap=leg.limits.per_transaction,
        # By its signature: the rest of a header can be respelled without breaking it.
        hop_header=f"{hop.header.subscriber_id}|{hop.header.signature.hex()}" if once else "",
        hop_expires=hop.header.expires if once else 0.0,
    )


def _check_new(arrived: Arrived, candidate: Candidate) -> None:
    who = f"{candidate.sender.id}, message {candidate.context.message_id}"
    if arrived is Arrived.REPLAYED:
        raise Refusal(REPLAYED, f"a signature header came twice from {who}", next_step="sign every attempt anew")
    if arrived is Arrived.CONFLICT:
        raise Refusal(MESSAGE_ID_REUSED, f"another body under the same message_id from {who}")
    if arrived is Arrived.TOO_MANY:
        refusal = Refusal(RATE_LIMITED, f"too many messages in one transaction from {who}")
        refusal.retry_after = 60
        raise refusal


def _verified(
    opened: Opened[Wire], candidate: Candidate, admitted: Admitted, trust: Trust
) -> Verified[Wire] | Declined:
    common = _thread(candidate, admitted, trust)
    authorization = opened.credentials.sender.value if opened.credentials.sender else ""
    if opened.message is None:
        return Declined(
            error=opened.error or Error(),
            context=candidate.context,
            sender=opened.sender,
            via=opened.via,
            thread=common,
            admission=admitted.admission,
            raw=opened.raw,
            digest=opened.credentials.digest,
            expires=candidate.expires,
            received_at=candidate.now,
            authorization=authorization,
            proof=_PROOF,
        )
    return Verified(
        message=opened.message,
        context=candidate.context,
        sender=opened.sender,
        via=opened.via,
        signed_by_sender=opened.credentials.sender is not None,
        thread=common,
        admission=admitted.admission,
        raw=opened.raw,
        digest=opened.credentials.digest,
        expires=candidate.expires,
        received_at=candidate.now,
        error=None if opened.error is None or opened.error.is_empty else opened.error,
        authorization=authorization,
        proof=_PROOF,
    )


def _thread(candidate: Candidate, admitted: Admitted, trust: Trust) -> Thread:
    context, request = candidate.context, admitted.request
    return Thread(
        domain=context.domain,
        transaction_id=request.transaction_id if request else candidate.transaction_id,
        consumer_id=_party(Role.CONSUMER, candidate, trust),
        provider_id=_party(Role.PROVIDER, candidate, trust),
        city=context.city or "",
    )


def _party(role: Role, candidate: Candidate, trust: Trust) -> str:
    """The party in this role: as verified, ourselves, or as the context names it."""
    if candidate.sender.role is role:
        return candidate.sender.id
    return trust.subscriber_id if trust.role is role else id_of(candidate.context, role) or ""


__all__ = ["Door", "Received", "Repeated", "authenticate", "receive"]
