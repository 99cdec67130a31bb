"""The states of a registry entry, what leads from one to the next, and who may do it. What the table lacks is refused.

Pure. Above: the steps of `joining` and `deciding`. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uhi.audit import ActorKind
from uhi.errors import ACCESS_DENIED, STATE_REFUSED, Refusal
from uhi.subscribers import EXPIRED, INITIATED, REVOKED, SUBSCRIBED, SUSPENDED, UNDER_REVIEW, UNSUBSCRIBED

ABSENT = ""
"""The state of whom the registry does not know."""


class Step(Enum):
    """What is done with an entry; the value is how the audit trail and a change spell it."""

    APPLY = "apply"
    REVIEW = "review"
    APPROVE = "approve"
    DECLINE = "decline"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    EXPIRE = "expire"
    LEAVE = "unsubscribe"
    AMEND = "amend"
    ADMIT = "admit"


class Party(Enum):
    """Who may take a step. Which permission a person needs is said by the rule of the route; the numbers are held by
    `deciding`."""

    SUBSCRIBER = "the subscriber itself"
    REVIEWER = "a reviewer"
    ADMIN = "an administrator"
    TWO_ADMINS = "two different administrators"
    CLOCK = "the registry, when the time has come"
    OPERATOR = "the operator at the command line"


_PEOPLE = frozenset({ActorKind.PERSON, ActorKind.OPERATOR})
PARTIES: dict[Party, frozenset[ActorKind]] = {
    Party.SUBSCRIBER: frozenset({ActorKind.SUBSCRIBER}),
    Party.REVIEWER: _PEOPLE,
    Party.ADMIN: _PEOPLE,
    Party.TWO_ADMINS: _PEOPLE,
    Party.CLOCK: frozenset({ActorKind.SYSTEM}),
    Party.OPERATOR: frozenset({ActorKind.OPERATOR}),
}
"""What kinds of actors a party can be: a service or a subscriber never decides about anybody."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a step leads, and who may take it."""

    to: str
    by: Party


MOVES: dict[tuple[str, Step], Move] = {
    (ABSENT, Step.APPLY): Move(INITIATED, Party.SUBSCRIBER),
    (ABSENT, Step.ADMIT): Move(SUBSCRIBED, Party.OPERATOR),
    (INITIATED, Step.APPLY): Move(INITIATED, Party.SUBSCRIBER),
    (INITIATED, Step.REVIEW): Move(UNDER_REVIEW, Party.REVIEWER),
    (INITIATED, Step.DECLINE): Move(UNSUBSCRIBED, Party.ADMIN),
    (INITIATED, Step.REVOKE): Move(REVOKED, Party.ADMIN),
    (UNDER_REVIEW, Step.APPLY): Move(INITIATED, Party.SUBSCRIBER),
    (UNDER_REVIEW, Step.APPROVE): Move(SUBSCRIBED, Party.TWO_ADMINS),
    (UNDER_REVIEW, Step.DECLINE): Move(UNSUBSCRIBED, Party.ADMIN),
    (UNDER_REVIEW, Step.REVOKE): Move(REVOKED, Party.ADMIN),
    (SUBSCRIBED, Step.AMEND): Move(SUBSCRIBED, Party.SUBSCRIBER),
    (SUBSCRIBED, Step.APPROVE): Move(SUBSCRIBED, Party.TWO_ADMINS),
    (SUBSCRIBED, Step.DECLINE): Move(SUBSCRIBED, Party.ADMIN),
    (SUBSCRIBED, Step.SUSPEND): Move(SUSPENDED, Party.ADMIN),
    (SUBSCRIBED, Step.REVOKE): Move(REVOKED, Party.ADMIN),
    (SUBSCRIBED, Step.EXPIRE): Move(EXPIRED, Party.CLOCK),
    (SUBSCRIBED, Step.LEAVE): Move(UNSUBSCRIBED, Party.SUBSCRIBER),
    (SUSPENDED, Step.RESUME): Move(SUBSCRIBED, Party.ADMIN),
    (SUSPENDED, Step.DECLINE): Move(SUSPENDED, Party.ADMIN),
    (SUSPENDED, Step.REVOKE): Move(REVOKED, Party.ADMIN),
    (SUSPENDED, Step.EXPIRE): Move(EXPIRED, Party.CLOCK),
    (EXPIRED, Step.APPLY): Move(INITIATED, Party.SUBSCRIBER),
    (EXPIRED, Step.REVOKE): Move(REVOKED, Party.ADMIN),
    (UNSUBSCRIBED, Step.APPLY): Move(INITIATED, Party.SUBSCRIBER),
    (UNSUBSCRIBED, Step.REVOKE): Move(REVOKED, Party.ADMIN),
}
"""The table. Of a member, AMEND, APPROVE and DECLINE are about a change that is waiting; the entry stays valid."""


def state_after(state: str, step: Step, kind: ActorKind) -> str:
    """The state that a step by this kind of actor leads to.

    Raises: Refusal(STATE_REFUSED) when it does not lead on from here; Refusal(ACCESS_DENIED) when others take it.
    """
    move = MOVES.get((state, step))
    if move is None:
        allowed = sorted(each.value for origin, each in MOVES if origin == state)
        raise Refusal(
            STATE_REFUSED,
            f"{step.value} is not possible in state {state or 'unknown'}",
            got=step.value,
            expected=" or ".join(allowed) or "nothing: this state is final",
        )
    if kind not in PARTIES[move.by]:
        raise Refusal(ACCESS_DENIED, f"{step.value} is for others to do", got=kind.value, expected=move.by.value)
    return move.to
