"""Step 8: does a callback fit an open request, or may it come unasked?

`Admit` is the seam; `Correlation` is a participant's, a gateway has its own. Source: decision 18, UHI correlation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from uhi.actions import SLOTS, Leg
from uhi.errors import Refusal
from uhi.exchange.legs import AnyLeg
from uhi.exchange.parties import ttl_end
from uhi.exchange.retry import CRITICAL_LIFE, DISCOVERY_LIFE
from uhi.faults import NO_OPEN_REQUEST, TTL_PASSED, WRONG_PROVIDER
from uhi.messages import Context
from uhi.messages.wire import Wire
from uhi.ports import Callback, OpenRequest, Requests
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
    """Which leg the message is, what was found out about it, the request it answers and the one it opens.

    After `deadline` (Unix seconds) nothing needs to follow any more; `is_finished`: nothing follows at all.
    """

    leg: AnyLeg
    admission: Admission
    deadline: float
    request: OpenRequest | None = None
    opens: OpenRequest | None = None
    is_finished: bool = False


class Admit(Protocol):
    """Decides step 8."""

    async def __call__(self, candidate: Candidate, row: str) -> Admitted:
        """The leg and admission of a message; `row` is the id it would have in the journal. Changes nothing.

        Raises: Refusal(NO_OPEN_REQUEST), Refusal(TTL_PASSED) and what a gateway refuses.
        """


class Correlation:
    """A participant's step 8: its open requests, and whom it talks with.

    `follows` tells whether anything follows from a leg, such as a handler.
    """

    def __init__(
        self, our_id: str, requests: Requests, *, follows: Callable[[AnyLeg], bool] = lambda leg: True
    ) -> None:
        self._our_id = our_id
        self._requests = requests
        self._follows = follows

    async def __call__(self, candidate: Candidate, row: str) -> Admitted:
        """See `Admit`."""
        for leg in candidate.legs:
            if leg.answers:
                request = await self._request(leg, candidate)
                if request is not None:
                    admission = _answer(leg, request, candidate.now)
                    return self._admitted(leg, candidate, admission, request)
            elif await self._may_come(leg, candidate):
                return self._admitted(leg, candidate, Admission())
        raise Refusal(
            NO_OPEN_REQUEST,
            f"{candidate.sender.id} sent {candidate.legs[0].name} for a transaction that is not open here",
            next_step="echo the message_id and transaction_id of the request",
        )

    def _admitted(
        self, leg: AnyLeg, candidate: Candidate, admission: Admission, request: OpenRequest | None = None
    ) -> Admitted:
        deadline = end_of_work(leg, candidate.context, candidate.now)
        return Admitted(leg, admission, deadline, request, is_finished=not self._follows(leg))

    async def _request(self, leg: Leg[Wire], candidate: Candidate) -> OpenRequest | None:
        request = await self._requests.fitting(self._callback(leg, candidate))
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
        return await self._requests.talks_with(self._our_id, candidate.sender.id, candidate.transaction_id)


def _is_news(leg: Leg[Wire]) -> bool:
    return leg.path.startswith("on_")


def _answer(leg: AnyLeg, request: OpenRequest, now: float) -> Admission:
    if request.ttl_until is not None and now > request.ttl_until:
        raise Refusal(TTL_PASSED, f"{leg.name} came {now - request.ttl_until:.0f} s after the request's ttl")
    return Admission(answers=request.message_id, late=now > request.until, until=request.until)


def end_of_work(leg: AnyLeg, context: Context, now: float) -> float:
    """Until when what follows from a message is of use (Unix seconds): for days where an appointment depends on it,
    else its ttl, else half a minute."""
    if leg.urgency.is_critical:
        return now + CRITICAL_LIFE
    ends = ttl_end(context, now)
    return now + DISCOVERY_LIFE if ends is None else ends
