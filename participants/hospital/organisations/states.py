"""The states of an organisation, what leads from one to the next, and who may do it. What the table lacks is refused.

Pure. A change of what verification vouches for is a step too (`AMEND`): it sends a verified organisation back. Above:
`organising`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uhi.audit import ActorKind
from uhi.errors import ACCESS_DENIED, STATE_REFUSED, Refusal

ABSENT = ""
"""The state of one that is not there yet."""
DRAFT = "DRAFT"
SUBMITTED = "SUBMITTED"
RETURNED = "RETURNED"
VERIFIED = "VERIFIED"
SUSPENDED = "SUSPENDED"

STATES = (DRAFT, SUBMITTED, RETURNED, VERIFIED, SUSPENDED)


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


class Party(Enum):
    """Who may take a step. Which permission it needs is said by the rule of the route."""

    ADMIN = "an administrator of the organisation"
    OPERATOR = "the program's operator"
    ANOTHER_OPERATOR = "an operator who did not submit it"
    MACHINE = "the operator at the command line"


_PEOPLE = frozenset({ActorKind.PERSON, ActorKind.OPERATOR})
PARTIES: dict[Party, frozenset[ActorKind]] = {
    Party.ADMIN: _PEOPLE | {ActorKind.SERVICE},
    Party.OPERATOR: _PEOPLE,
    Party.ANOTHER_OPERATOR: _PEOPLE,
    Party.MACHINE: frozenset({ActorKind.OPERATOR}),
}
"""What kinds of actors a party can be: a service never decides about an organisation."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a step leads, and who may take it."""

    to: str
    by: Party


MOVES: dict[tuple[str, Step], Move] = {
    (ABSENT, Step.CREATE): Move(DRAFT, Party.OPERATOR),
    (ABSENT, Step.ADMIT): Move(VERIFIED, Party.MACHINE),
    (DRAFT, Step.ADMIT): Move(VERIFIED, Party.MACHINE),
    (SUBMITTED, Step.ADMIT): Move(VERIFIED, Party.MACHINE),
    (RETURNED, Step.ADMIT): Move(VERIFIED, Party.MACHINE),
    (VERIFIED, Step.ADMIT): Move(VERIFIED, Party.MACHINE),
    (DRAFT, Step.SUBMIT): Move(SUBMITTED, Party.ADMIN),
    (RETURNED, Step.SUBMIT): Move(SUBMITTED, Party.ADMIN),
    (SUBMITTED, Step.VERIFY): Move(VERIFIED, Party.ANOTHER_OPERATOR),
    (SUBMITTED, Step.RETURN): Move(RETURNED, Party.OPERATOR),
    (VERIFIED, Step.SUSPEND): Move(SUSPENDED, Party.OPERATOR),
    (SUSPENDED, Step.RESUME): Move(VERIFIED, Party.ANOTHER_OPERATOR),
    (DRAFT, Step.AMEND): Move(DRAFT, Party.ADMIN),
    (RETURNED, Step.AMEND): Move(RETURNED, Party.ADMIN),
    # What an operator is looking at does not change below their eyes: it is submitted anew.
    (SUBMITTED, Step.AMEND): Move(DRAFT, Party.ADMIN),
    (VERIFIED, Step.AMEND): Move(SUBMITTED, Party.ADMIN),
}
"""The table. Who is suspended does not change what they are until they are resumed."""


def state_after(state: str, step: Step, kind: ActorKind) -> str:
    """The state that a step by this kind of actor leads to.

    Raises: Refusal(STATE_REFUSED) when it does not lead on from here; Refusal(ACCESS_DENIED) when others take it.
    """
    move = MOVES.get((state, step))
    if move is None:
        allowed = sorted(each.value for origin, each in MOVES if origin == state)
        raise Refusal(
            STATE_REFUSED,
            f"{step.value} is not possible for an organisation in state {state or 'unknown'}",
            got=step.value,
            expected=" or ".join(allowed),
        )
    if kind not in PARTIES[move.by]:
        raise Refusal(ACCESS_DENIED, f"{step.value} is for others to do", got=kind.value, expected=move.by.value)
    return move.to
