"""The states of a registry entry, what leads from one to the next, and who may do it. What the table lacks is refused.

Pure. Above: the steps of `joining` and `deciding`. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from enum import Enum

from uhi.audit import ActorKind
from uhi.identity.moves import ABSENT, PEOPLE, Move, Moves, Party
from uhi.subscribers import EXPIRED, INITIATED, REVOKED, SUBSCRIBED, SUSPENDED, UNDER_REVIEW, UNSUBSCRIBED


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


SELF = Party("the subscriber itself", frozenset({ActorKind.SUBSCRIBER}))
REVIEWER = Party("a reviewer", PEOPLE)
ADMIN = Party("an administrator", PEOPLE)
TWO_ADMINS = Party("two different administrators", PEOPLE)
"""Their number is held by `deciding`."""
CLOCK = Party("the registry, when the time has come", frozenset({ActorKind.SYSTEM}))
OPERATOR = Party("the operator at the command line", frozenset({ActorKind.OPERATOR}))

TABLE = {
    (ABSENT, Step.APPLY): Move(INITIATED, SELF),
    (ABSENT, Step.ADMIT): Move(SUBSCRIBED, OPERATOR),
    (INITIATED, Step.APPLY): Move(INITIATED, SELF),
    (INITIATED, Step.REVIEW): Move(UNDER_REVIEW, REVIEWER),
    (INITIATED, Step.DECLINE): Move(UNSUBSCRIBED, ADMIN),
    (INITIATED, Step.REVOKE): Move(REVOKED, ADMIN),
    (UNDER_REVIEW, Step.APPLY): Move(INITIATED, SELF),
    (UNDER_REVIEW, Step.APPROVE): Move(SUBSCRIBED, TWO_ADMINS),
    (UNDER_REVIEW, Step.DECLINE): Move(UNSUBSCRIBED, ADMIN),
    (UNDER_REVIEW, Step.REVOKE): Move(REVOKED, ADMIN),
    (SUBSCRIBED, Step.AMEND): Move(SUBSCRIBED, SELF),
    (SUBSCRIBED, Step.APPROVE): Move(SUBSCRIBED, TWO_ADMINS),
    (SUBSCRIBED, Step.DECLINE): Move(SUBSCRIBED, ADMIN),
    (SUBSCRIBED, Step.SUSPEND): Move(SUSPENDED, ADMIN),
    (SUBSCRIBED, Step.REVOKE): Move(REVOKED, ADMIN),
    (SUBSCRIBED, Step.EXPIRE): Move(EXPIRED, CLOCK),
    (SUBSCRIBED, Step.LEAVE): Move(UNSUBSCRIBED, SELF),
    (SUSPENDED, Step.RESUME): Move(SUBSCRIBED, ADMIN),
    (SUSPENDED, Step.DECLINE): Move(SUSPENDED, ADMIN),
    (SUSPENDED, Step.REVOKE): Move(REVOKED, ADMIN),
    (SUSPENDED, Step.EXPIRE): Move(EXPIRED, CLOCK),
    (EXPIRED, Step.APPLY): Move(INITIATED, SELF),
    (EXPIRED, Step.REVOKE): Move(REVOKED, ADMIN),
    (UNSUBSCRIBED, Step.APPLY): Move(INITIATED, SELF),
    (UNSUBSCRIBED, Step.REVOKE): Move(REVOKED, ADMIN),
}
"""The table. Of a member, AMEND, APPROVE and DECLINE are about a change that is waiting; the entry stays valid."""

MOVES = Moves(TABLE)
