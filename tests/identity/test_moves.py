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
    "for a cup in this state",
)


def test_a_step_leads_where_the_table_says():
    """Issue 5: allowed transitions are one table."""
    made = LIVES.after(ABSENT, Step.MAKE, ActorKind.SERVICE)

    assert (made, LIVES.after(made, Step.BREAK, ActorKind.PERSON)) == ("WHOLE", "BROKEN")


@pytest.mark.parametrize(
    ("state", "step", "kind", "said"),
    [
        (ABSENT, Step.MEND, ActorKind.PERSON, "mend is not possible for a cup in this state, got none; make"),
        ("WHOLE", Step.MAKE, ActorKind.PERSON, "in this state, got WHOLE; break or mend"),
        ("WHOLE", Step.MAKE, ActorKind.SERVICE, "in this state, got WHOLE; mend"),
        ("WHOLE", Step.MAKE, ActorKind.SYSTEM, "in this state, got WHOLE; others take it on from here"),
        ("BROKEN", Step.MEND, ActorKind.PERSON, "in this state, got BROKEN; none: this state is final"),
    ],
)
def test_a_step_that_the_table_lacks_is_refused(state, step, kind, said):
    """House style: the text says what, the state, and the steps that whoever asks may take from it."""
    with pytest.raises(Refusal) as refused:
        LIVES.after(state, step, kind)

    assert refused.value.fault is STATE_REFUSED
    assert str(refused.value).endswith(said)


@pytest.mark.parametrize("kind", sorted(set(ActorKind) - PEOPLE, key=lambda kind: kind.value))
def test_a_step_of_others_is_denied(kind):
    """Issue 5: who may make a transition stands in the table, in words for whoever may not."""
    with pytest.raises(Refusal, match=f"break is for others to do, got {kind.value}, expected its owner") as refused:
        LIVES.after("WHOLE", Step.BREAK, kind)

    assert refused.value.fault is ACCESS_DENIED
