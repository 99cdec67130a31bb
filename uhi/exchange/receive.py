"""The one door in: `authenticate` (steps 1–6) and `receive` (all nine) alone make verified messages.

Above: entrances and servers; below: ports and pure decisions. Source: decision "The doors".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.exchange.admission import Admit, Admitted, Candidate
from uhi.exchange.arrivals import Row, arrival_of, check_new, facts_of
from uhi.exchange.credentials import is_forwarded
from uhi.exchange.facts import Facts, read_facts
from uhi.exchange.legs import AnyLeg, Legs
from uhi.exchange.opened import Opened, open_message, parse_body
from uhi.exchange.parties import check_recipient, check_sender, check_ttl, transaction_of
from uhi.exchange.row_ids import new_row_id
from uhi.exchange.trust import Trust
from uhi.faults import INTERNAL, MESSAGE_INVALID, NO_OPEN_REQUEST
from uhi.messages import Context, Error
from uhi.messages.wire import Wire
from uhi.ports import Arrived, Inbound, Journal, Kept
from uhi.signing import body_digest
from uhi.subscribers import Subscriber
from uhi.verified import Admission, Declined, Signed, Thread, Verified, _Proof

M = TypeVar("M", bound=Wire)
_PROOF = _Proof()
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Door:
    """All that stands behind one door: identity and trust, the legs it takes, the journal, and the say on step 8."""

    trust: Trust
    legs: Legs
    journal: Journal
    admit: Admit


@dataclass(frozen=True, slots=True)
class Received:
    """What `receive` says: the message, the leg it is, and its row in the journal, finished if nothing follows;
    `is_again` for one that was taken up from there."""

    leg: AnyLeg
    message: Verified[Wire] | Declined
    row: str
    is_finished: bool = False
    is_again: bool = False


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
    row = new_row_id(now)
    found = await _admitted(candidate, opened, door, row)  # 8, 9
    if found is None:
        return Repeated(legs[0], context, opened.sender)
    admitted, facts = found
    message = _made(_Parts(opened.message, context, opened.error), facts, admitted.admission, _stuff(opened, now))
    return Received(admitted.leg, message, row, admitted.is_finished)


async def _admitted(candidate: Candidate, opened: Opened[Wire], door: Door, row: str) -> tuple[Admitted, Facts] | None:
    """Steps 8 and 9, once more where another answer took the open request in between; None for a repeated one."""
    for tries in range(_MOST_TRIES):
        admitted = await door.admit(candidate, row)
        facts = facts_of(opened, candidate, admitted, door.trust)
        arrival = arrival_of(opened, candidate, admitted, Row(row, door.trust.subscriber_id, facts))
        # The journal has remembered the header with the first try; it is not a second time that it comes.
        arrived = await door.journal.accept(replace(arrival, hop_header="") if tries else arrival)
        if arrived is Arrived.REPEATED:
            return None
        check_new(arrived, candidate)
        if arrived is Arrived.NEW:
            return admitted, facts
    raise Refusal(NO_OPEN_REQUEST, f"other answers came before this one from {candidate.sender.id}")


def replay(kept: Kept, legs: Mapping[str, AnyLeg]) -> Received:
    """A message that came through the door before, from its row in the journal; `legs` by name.

    Its signature was checked then. Whom a relay passes it on to is not kept.
    Raises: Refusal(INTERNAL) for a row that cannot be read, such as one of another version.
    """
    leg = legs.get(kept.path_role)
    if leg is None or body_digest(kept.body) != kept.digest:
        raise Refusal(INTERNAL, f"the journal's row {kept.id} cannot be read", next_step="report it as a bug")
    message, context, error = parse_body(kept.body, leg)
    facts = read_facts(kept.facts)
    admission = Admission(answers=facts.answers, late=facts.late, until=facts.until)
    stuff = _Stuff(kept.body, kept.digest, kept.authorization, kept.received_at)
    parts = _Parts(message, context or _without_context(), error)
    return Received(leg, _made(parts, facts, admission, stuff), kept.id, is_again=True)


def overtaken(received: Received, now: float) -> Received:
    """An answer that nobody waits for here: late as well when its question's time has run out since step 8."""
    admission = received.message.admission
    if now < admission.until:
        return received
    return replace(received, message=replace(received.message, admission=replace(admission, late=True), proof=_PROOF))


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


@dataclass(frozen=True, slots=True)
class _Parts:
    message: Wire | None = field(repr=False)
    context: Context
    error: Error | None


@dataclass(frozen=True, slots=True)
class _Stuff:
    """The bytes of a message and what came with them."""

    raw: bytes = field(repr=False)
    digest: str
    authorization: str = field(repr=False)
    received_at: float


def _stuff(opened: Opened[Wire], now: float) -> _Stuff:
    credentials = opened.credentials
    return _Stuff(opened.raw, credentials.digest, credentials.sender.value if credentials.sender else "", now)


def _made(parts: _Parts, facts: Facts, admission: Admission, stuff: _Stuff) -> Verified[Wire] | Declined:
    context, error = parts.context, None if parts.error is None or parts.error.is_empty else parts.error
    thread = Thread(
        domain=context.domain,
        transaction_id=facts.transaction_id,
        consumer_id=facts.consumer_id,
        provider_id=facts.provider_id,
        city=context.city or "",
    )
    if parts.message is None:
        return Declined(
            error=error or Error(),
            context=context,
            sender=facts.sender,
            via=facts.via,
            thread=thread,
            admission=admission,
            raw=stuff.raw,
            digest=stuff.digest,
            expires=facts.expires,
            received_at=stuff.received_at,
            authorization=stuff.authorization,
            proof=_PROOF,
        )
    return Verified(
        message=parts.message,
        context=context,
        sender=facts.sender,
        via=facts.via,
        signed_by_sender=facts.signed_by_sender,
        thread=thread,
        admission=admission,
        raw=stuff.raw,
        digest=stuff.digest,
        expires=facts.expires,
        received_at=stuff.received_at,
        error=error,
        authorization=stuff.authorization,
        proof=_PROOF,
    )


__all__ = ["Door", "Received", "Repeated", "authenticate", "overtaken", "receive", "replay"]
