"""A table of states and steps: a step leads on where the table says so, for whom it says so."""

from __future__ import annotations

from enum import Enum

import pytest

from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, STATE_REFUSED
from uhi.identity.moves import ABSENT, PEOPLE, Move, Moves, Party


class Step(Enum):
    MAKE = "make"
    MEND = "mend"
    BREAK = "break"


ANYBODY = Party("anybody", PEOPLE | {ActorKind.SERVICE})
OWNER = Party("its owner", PEOPLE)
LIVES = Moves(
    {
        (ABSENT, Step.MAKE): Move("WHOLE", ANYBODY),
        ("WHOLE", Step.MEND): Move("WHOLE", ANYBODY),
        ("WHOLE", Step.BREAK): Move("BROKEN", OWNER),
    },
    "for a cup in state",
)


def test_a_step_leads_where_the_table_says():
    """Issue 5: allowed transitions are one table."""
    made = LIVES.after(ABSENT, Step.MAKE, ActorKind.SERVICE)

    assert (made, LIVES.after(made, Step.BREAK, ActorKind.PERSON)) == ("WHOLE", "BROKEN")


@pytest.mark.parametrize(
    ("state", "step", "said"),
    [
        (ABSENT, Step.MEND, "mend is not possible for a cup in state unknown, got mend, expected make"),
        ("WHOLE", Step.MAKE, "make is not possible for a cup in state WHOLE, got make, expected break or mend"),
        ("BROKEN", Step.MEND, "for a cup in state BROKEN, got mend, expected nothing: this state is final"),
    ],
)
def test_a_step_that_the_table_lacks_is_refused(state, step, said):
    """House style: the text says what, got, and the steps that are possible."""
    with pytest.raises(Refusal, match=said) as refused:
        LIVES.after(state, step, ActorKind.PERSON)

    assert refused.value.fault is STATE_REFUSED


@pytest.mark.parametrize("kind", sorted(set(ActorKind) - PEOPLE, key=lambda kind: kind.value))
def test_a_step_of_others_is_denied(kind):
    """Issue 5: who may make a transition stands in the table, in words for whoever may not."""
    with pytest.raises(Refusal, match=f"break is for others to do, got {kind.value}, expected its owner") as refused:
        LIVES.after("WHOLE", Step.BREAK, kind)

    assert refused.value.fault is ACCESS_DENIED
