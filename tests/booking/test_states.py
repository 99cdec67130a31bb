"""The table of states, in full."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.booking.states import MOVES, Move, OrderState, Via, follow, is_known, transition
from uhi.errors import StateConflict
from uhi.subscribers import Role

STATES = st.sampled_from(OrderState)
ENDS = ("FAILED", "COMPLETED", "CANCELLED", "NO_SHOW", "DOCTOR_NO_SHOW")


@pytest.mark.parametrize("move", MOVES, ids=lambda move: f"{move.source}-{move.target}-{move.by.value}")
def test_every_move_of_the_table_is_permitted(move):
    """UHI order states: from, to, by whom, in which message."""
    state = transition(move.source, move.target, by=move.by, via=move.via)

    assert state is move.target


def test_every_move_outside_the_table_is_refused():
    """UHI order states: what the table does not list does not happen."""
    parties = (Role.CONSUMER, Role.PROVIDER)
    others = [Move(*parts) for parts in product(OrderState, OrderState, parties, Via) if Move(*parts) not in MOVES]

    for move in others:
        if move.source is not move.target:
            with pytest.raises(StateConflict):
                transition(move.source, move.target, by=move.by, via=move.via)


@given(STATES, st.sampled_from(Role), st.sampled_from(Via))
def test_the_same_state_again_is_a_refresh(state, party, via):
    """UHI on_update: a second COMPLETED with the care context is published, so a repeat is no error."""
    assert transition(state, state, by=party, via=via) is state


@pytest.mark.parametrize("end", ENDS)
def test_an_end_has_no_way_out(end):
    """UHI order states: FAILED, COMPLETED, CANCELLED, NO_SHOW and DOCTOR_NO_SHOW lead nowhere."""
    assert [move for move in MOVES if move.source.value == end] == []


def test_a_consumer_may_set_the_doctors_no_show_and_cancel_and_nothing_else():
    """UHI order states: the consumer's moves."""
    ours = {(move.target.value, move.via.value) for move in MOVES if move.by is Role.CONSUMER}

    assert ours == {("DOCTOR_NO_SHOW", "on_update"), ("CANCELLED", "cancel")}


def test_the_refusal_says_what_would_be_possible():
    """Ours: an error says got, expected, next."""
    with pytest.raises(StateConflict) as caught:
        transition(OrderState.CONFIRMED, OrderState.COMPLETED, by=Role.PROVIDER, via=Via.ON_UPDATE)

    assert "APPOINTMENT_STARTED or CANCELLED or NO_SHOW" in str(caught.value)


@given(STATES, st.sampled_from([*OrderState, "CONFIRMED_NOT_PAID", ""]))
def test_news_never_moves_an_order_back(current, news):
    """UHI order states at the consumer: late, repeated and unknown news change nothing."""
    kept = follow(current, news)

    assert follow(kept, current) is kept
    assert kept is current or kept.value == news


@pytest.mark.parametrize(
    ("current", "news", "kept"),
    [
        ("HELD", "COMPLETED", "COMPLETED"),
        ("HELD", "CANCELLED", "CANCELLED"),
        ("CONFIRMED", "COMPLETED", "COMPLETED"),
        ("APPOINTMENT_STARTED", "CONFIRMED", "APPOINTMENT_STARTED"),
        ("CANCELLED", "CONFIRMED", "CANCELLED"),
        ("FAILED", "CONFIRMED", "FAILED"),
        ("COMPLETED", "CANCELLED", "COMPLETED"),
        ("CONFIRMED", "CONFIRMED_NOT_PAID", "CONFIRMED"),
    ],
)
def test_a_consumer_follows_over_lost_news_and_not_back(current, news, kept):
    """Ours: a message between may be lost, and a late one is older than what is known."""
    assert follow(OrderState(current), news).value == kept


@pytest.mark.parametrize(
    ("text", "known"), [("CONFIRMED", True), ("HELD", False), ("PROCESSING", False), (None, False)]
)
def test_only_states_that_travel_are_known(text, known):
    """UHI order states: before on_confirm an order has none on the wire."""
    assert is_known(text) is known
