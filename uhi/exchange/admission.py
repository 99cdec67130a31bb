"""Step 8: does a callback fit an open request, or may it come unasked?

`Admit` is the seam; `Correlation` is a participant's, a gateway has its own. Source: decision 18, UHI correlation.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Protocol

from uhi.actions import SLOTS, Leg
from uhi.errors import NO_OPEN_REQUEST, TTL_PASSED, WRONG_PROVIDER, Refusal
from uhi.exchange.legs import AnyLeg
from uhi.messages import Context
from uhi.messages.wire import Wire
from uhi.ports import Callback, Conversations, Journal, OpenRequest
from uhi.subscribers import Role, Subscriber
from uhi.verified import Admission

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message after step 7. `legs` are what it may be, an answer before a notice; `is_addressed` tells whether the
    context itself names us; `now` and `expires` (of the sender's signature) are Unix seconds."""

    legs: tuple[AnyLeg, ...]
    message: Wire | None = field(repr=False)
    context: Context
    transaction_id: str
    sender: Subscriber
    is_addressed: bool
    now: float
    expires: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """Which leg the message is, what was found out about it, and the request it answers."""

    leg: AnyLeg
    admission: Admission
    request: OpenRequest | None = None


class Admit(Protocol):
    """Decides step 8."""

    async def __call__(self, candidate: Candidate) -> Admitted:
        """The leg and admission of a message.

        Raises: Refusal(NO_OPEN_REQUEST), Refusal(TTL_PASSED) and what a gateway refuses.
        """

    async def accepted(self, candidate: Candidate, admitted: Admitted) -> None:
        """Told once step 9 has found the message new."""


class Correlation:
    """A participant's step 8: its open requests, and whom it talks with."""

    def __init__(self, our_id: str, conversations: Conversations, journal: Journal) -> None:
        self._our_id = our_id
        self._conversations = conversations
        self._journal = journal

    async def __call__(self, candidate: Candidate) -> Admitted:
        """See `Admit`."""
        for leg in candidate.legs:
            if leg.answers:
                request = await self._request(leg, candidate)
                if request is not None:
                    return _answer(leg, request, candidate.now)
            elif await self._may_come(leg, candidate):
                return Admitted(leg, Admission())
        raise Refusal(
            NO_OPEN_REQUEST,
            f"{candidate.sender.id} sent {candidate.legs[0].name} for a transaction that is not open here",
            next_step="echo the message_id and transaction_id of the request",
        )

    async def accepted(self, candidate: Candidate, admitted: Admitted) -> None:
        """See `Admit`."""
        if admitted.request is not None:
            # The transaction is the request's, whatever the answer calls it: naming one must not open it.
            callback = self._callback(admitted.leg, candidate)
            await self._conversations.answered(
                admitted.request, replace(callback, transaction_id=admitted.request.transaction_id)
            )

    async def _request(self, leg: Leg[Wire], candidate: Candidate) -> OpenRequest | None:
        request = await self._conversations.fitting(self._callback(leg, candidate))
        if request is not None and request.transaction_id != candidate.transaction_id:
            log.warning("%s answers %s under another transaction_id", candidate.sender.id, leg.answers)
        return request

    def _callback(self, leg: Leg[Wire], candidate: Candidate) -> Callback:
        return Callback(
            owner=self._our_id,
            leg=leg.answers,
            message_id=candidate.context.message_id,
            transaction_id=candidate.transaction_id,
            counterpart=candidate.sender.id,
        )

    async def _may_come(self, leg: Leg[Wire], candidate: Candidate) -> bool:
        """Requests to a provider open a conversation; news belongs to one that both sides already have."""
        if leg.receiver is Role.PROVIDER and not _is_news(leg):
            # Without provider_id a second search is the same bytes as a first one whose gateway header is gone.
            if not candidate.is_addressed and (leg is SLOTS.request or not await self._is_known(candidate)):
                raise Refusal(
                    WRONG_PROVIDER, "provider_id is missing", expected=self._our_id, path="$.context.provider_id"
                )
            return True
        return await self._is_known(candidate)

    async def _is_known(self, candidate: Candidate) -> bool:
        them, transaction = candidate.sender.id, candidate.transaction_id
        return await self._conversations.talks_with(self._our_id, them, transaction) or await self._journal.knows(
            self._our_id, them, transaction
        )


def _is_news(leg: Leg[Wire]) -> bool:
    return leg.path.startswith("on_")


def _answer(leg: AnyLeg, request: OpenRequest, now: float) -> Admitted:
    if request.ttl_until is not None and now > request.ttl_until:
        raise Refusal(TTL_PASSED, f"{leg.name} came {now - request.ttl_until:.0f} s after the request's ttl")
    return Admitted(leg, Admission(answers=request.message_id, late=now > request.until), request)
