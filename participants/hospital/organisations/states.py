"""The states of an organisation, what leads from one to the next, and who may do it. What the table lacks is refused.

Pure. A change of what verification vouches for is a step too (`AMEND`): it sends a verified organisation back. Above:
`organising`.
"""

from __future__ import annotations

from enum import Enum

from uhi.audit import ActorKind
from uhi.identity.moves import ABSENT, PEOPLE, Move, Moves, Party

DRAFT = "DRAFT"
SUBMITTED = "SUBMITTED"
RETURNED = "RETURNED"
VERIFIED = "VERIFIED"
SUSPENDED = "SUSPENDED"


class Step(Enum):
    """What is done with an organisation; the value is how the audit trail spells it."""

    CREATE = "create"
    ADMIT = "admit"
    SUBMIT = "submit"
    VERIFY = "verify"
    RETURN = "return"
    SUSPEND = "suspend"
    RESUME = "resume"
    AMEND = "amend"


ADMIN = Party("an administrator of the organisation", PEOPLE | {ActorKind.SERVICE})
OPERATOR = Party("the program's operator", PEOPLE)
ANOTHER_OPERATOR = Party("an operator who did not submit it", PEOPLE)
MACHINE = Party("the operator at the command line", frozenset({ActorKind.OPERATOR}))

TABLE = {
    (ABSENT, Step.CREATE): Move(DRAFT, OPERATOR),
    (ABSENT, Step.ADMIT): Move(VERIFIED, MACHINE),
    (DRAFT, Step.ADMIT): Move(VERIFIED, MACHINE),
    (SUBMITTED, Step.ADMIT): Move(VERIFIED, MACHINE),
    (RETURNED, Step.ADMIT): Move(VERIFIED, MACHINE),
    (VERIFIED, Step.ADMIT): Move(VERIFIED, MACHINE),
    (DRAFT, Step.SUBMIT): Move(SUBMITTED, ADMIN),
    (RETURNED, Step.SUBMIT): Move(SUBMITTED, ADMIN),
    (SUBMITTED, Step.VERIFY): Move(VERIFIED, ANOTHER_OPERATOR),
    (SUBMITTED, Step.RETURN): Move(RETURNED, OPERATOR),
    (VERIFIED, Step.SUSPEND): Move(SUSPENDED, OPERATOR),
    (SUSPENDED, Step.RESUME): Move(VERIFIED, ANOTHER_OPERATOR),
    (DRAFT, Step.AMEND): Move(DRAFT, ADMIN),
    (RETURNED, Step.AMEND): Move(RETURNED, ADMIN),
    # What an operator is looking at does not change below their eyes: it is submitted anew.
    (SUBMITTED, Step.AMEND): Move(DRAFT, ADMIN),
    (VERIFIED, Step.AMEND): Move(SUBMITTED, ADMIN),
}
"""The table. Who is suspended does not change what they are until they are resumed."""

MOVES = Moves(TABLE, "for an organisation in this state")
