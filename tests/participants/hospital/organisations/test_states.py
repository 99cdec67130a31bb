"""The states of an organisation: the whole table, each step by each kind of actor in each state."""

from __future__ import annotations

from itertools import product

import pytest

from participants.hospital.organisations.states import MOVES, Step
from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, STATE_REFUSED
from uhi.identity.moves import ABSENT

# What leads where, and by whom: A an administrator, O an operator, M the operator at the command line.
TABLE = """
    -          create    DRAFT      O
    -          admit     VERIFIED   M
    DRAFT      admit     VERIFIED   M
    DRAFT      submit    SUBMITTED  A
    DRAFT      amend     DRAFT      A
    SUBMITTED  admit     VERIFIED   M
    SUBMITTED  verify    VERIFIED   O
    SUBMITTED  return    RETURNED   O
    SUBMITTED  amend     DRAFT      A
    RETURNED   admit     VERIFIED   M
    RETURNED   submit    SUBMITTED  A
    RETURNED   amend     RETURNED   A
    VERIFIED   admit     VERIFIED   M
    VERIFIED   suspend   SUSPENDED  O
    VERIFIED   amend     SUBMITTED  A
    SUSPENDED  resume    VERIFIED   O
"""
LINES = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {(ABSENT if at == "-" else at, Step(step)): (to, who) for at, step, to, who in LINES}
STATES = sorted({at for at, _ in EXPECTED})
MAY = {
    "A": {ActorKind.PERSON, ActorKind.OPERATOR, ActorKind.SERVICE},
    "O": {ActorKind.PERSON, ActorKind.OPERATOR},
    "M": {ActorKind.OPERATOR},
}


def test_the_table_is_complete():
    """Issue 5: allowed transitions and who may make them are one table."""
    assert set(MOVES.table) == set(EXPECTED)


@pytest.mark.parametrize(("state", "step", "kind"), list(product(STATES, Step, ActorKind)))
def test_every_step_in_every_state_by_everybody(state, step, kind):
    """Issue 5: the table tested in full; what it lacks is refused."""
    to, who = EXPECTED.get((state, step), ("", ""))

    if to and kind in MAY[who]:
        assert MOVES.after(state, step, kind) == to
        return
    with pytest.raises(Refusal) as refused:
        MOVES.after(state, step, kind)

    assert refused.value.fault is (ACCESS_DENIED if to else STATE_REFUSED)
