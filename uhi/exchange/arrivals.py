"""Step 9: what a message that passed the first eight becomes in the journal, and what the journal's word means.

Pure. Above: `receive`. Source: reliability rules "Receive side", decisions 14 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.errors import Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.facts import Facts
from uhi.exchange.opened import Opened
from uhi.exchange.parties import id_of
from uhi.exchange.trust import Trust
from uhi.faults import MESSAGE_ID_REUSED, RATE_LIMITED, REPLAYED
from uhi.messages.wire import Wire
from uhi.ports import Arrival, Arrived
from uhi.subscribers import Role


@dataclass(frozen=True, slots=True)
class Row:
    """Which row of whose journal a message becomes, and what was found out about it."""

    id: str
    receiver: str
    facts: Facts


def arrival_of(opened: Opened[Wire], candidate: Candidate, admitted: Admitted, row: Row) -> Arrival:
    """The row of a message that passed step 8."""
    leg = admitted.leg
    credentials = opened.credentials
    hop = credentials.hop
    once = opened.hop_profile.replays_are_refused
    return Arrival(
        id=row.id,
        receiver=row.receiver,
        signer=opened.sender.id,
        path_role=leg.name,
        message_id=candidate.context.message_id,
        variant="" if leg.single_shot else credentials.digest,
        digest=credentials.digest,
        transaction_id=row.facts.transaction_id,
        received_at=candidate.now,
        cap=leg.limits.per_transaction,
        deadline=admitted.deadline,
        body=opened.raw,
        authorization=credentials.sender.value if credentials.sender else "",
        facts=row.facts.write(),
        # By its signature: the rest of a header can be respelled without breaking it.
        hop_header=f"{hop.header.subscriber_id}|{hop.header.signature.hex()}" if once else "",
        hop_expires=hop.header.expires if once else 0.0,
        is_finished=admitted.is_finished,
        opens=admitted.opens,
        answers=admitted.request,
    )


def check_new(arrived: Arrived, candidate: Candidate) -> None:
    """Refuse what the journal does not take.

    Raises: Refusal(REPLAYED, MESSAGE_ID_REUSED, RATE_LIMITED).
    """
    who = f"{candidate.sender.id}, message {candidate.context.message_id}"
    if arrived is Arrived.REPLAYED:
        raise Refusal(REPLAYED, f"a signature header came twice from {who}", next_step="sign every attempt anew")
    if arrived is Arrived.CONFLICT:
        raise Refusal(MESSAGE_ID_REUSED, f"another body under the same message_id from {who}")
    if arrived is Arrived.TOO_MANY:
        refusal = Refusal(RATE_LIMITED, f"too many messages in one transaction from {who}")
        refusal.retry_after = 60
        raise refusal


def facts_of(opened: Opened[Wire], candidate: Candidate, admitted: Admitted, trust: Trust) -> Facts:
    """What the first eight steps found out about a message."""
    request = admitted.request
    return Facts(
        sender=opened.sender,
        via=opened.via,
        signed_by_sender=opened.credentials.sender is not None,
        expires=candidate.expires,
        # The transaction is the request's, whatever the answer calls it: naming one must not open it.
        transaction_id=request.transaction_id if request else candidate.transaction_id,
        consumer_id=_party(Role.CONSUMER, candidate, trust),
        provider_id=_party(Role.PROVIDER, candidate, trust),
        answers=admitted.admission.answers,
        late=admitted.admission.late,
        until=admitted.admission.until,
    )


def _party(role: Role, candidate: Candidate, trust: Trust) -> str:
    """The party in this role: as verified, ourselves, or as the context names it."""
    if candidate.sender.role is role:
        return candidate.sender.id
    return trust.subscriber_id if trust.role is role else id_of(candidate.context, role) or ""
