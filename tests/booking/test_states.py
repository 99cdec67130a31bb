"""The table of what may happen to an order, in full."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.booking.states import (
    MOVES,
    EventKind,
    OrderState,
    Party,
    Via,
    follow,
    follows,
    is_known,
    step,
    transition,
    who_may,
)
from uhi.errors import StateConflict
from uhi.subscribers import Role

STATES = st.sampled_from(OrderState)
ENDS = ("FAILED", "COMPLETED", "CANCELLED", "NO_SHOW", "DOCTOR_NO_SHOW")
TABLE = """
-                   HELD            HELD                 consumer desk
HELD                HELD_AGAIN      HELD                 consumer
HELD                TERMS_AGREED    HELD                 consumer
HELD                CONFIRMED       CONFIRMED            system
HELD                FAILED          FAILED               system
HELD                EXPIRED         EXPIRED              time
EXPIRED             HELD_AGAIN      EXPIRED              consumer
EXPIRED             TERMS_AGREED    EXPIRED              consumer
EXPIRED             CONFIRMED       CONFIRMED            system
EXPIRED             FAILED          FAILED               system
CONFIRMED           PIN_MISSED      CONFIRMED            desk
CONFIRMED           PIN_VERIFIED    CONFIRMED            desk
CONFIRMED           PIN_OVERRIDDEN  CONFIRMED            desk
CONFIRMED           CONSENT_GIVEN   CONFIRMED            consumer desk clinician
CONFIRMED           JOINED          CONFIRMED            consumer desk clinician
CONFIRMED           LEFT            CONFIRMED            consumer desk clinician
CONFIRMED           DOCTOR_ABSENT   CONFIRMED            desk clinician
CONFIRMED           STARTED         APPOINTMENT_STARTED  desk clinician
CONFIRMED           RECORDS_LINKED  CONFIRMED            system
CONFIRMED           NO_SHOW         NO_SHOW              desk
CONFIRMED           DOCTOR_NO_SHOW  DOCTOR_NO_SHOW       consumer
CONFIRMED           CANCELLED       CANCELLED            consumer desk system
APPOINTMENT_STARTED JOINED          APPOINTMENT_STARTED  consumer desk clinician
APPOINTMENT_STARTED LEFT            APPOINTMENT_STARTED  consumer desk clinician
APPOINTMENT_STARTED DOCTOR_ABSENT   APPOINTMENT_STARTED  desk clinician
APPOINTMENT_STARTED COMPLETED       COMPLETED            desk clinician
APPOINTMENT_STARTED RECORDS_LINKED  APPOINTMENT_STARTED  desk clinician system
COMPLETED           LEFT            COMPLETED            consumer desk clinician
COMPLETED           RECORDS_LINKED  COMPLETED            desk clinician system
CANCELLED           RECORDS_LINKED  CANCELLED            system
CANCELLED           RESCHEDULED     CANCELLED            consumer
NO_SHOW             RECORDS_LINKED  NO_SHOW              system
DOCTOR_NO_SHOW      RECORDS_LINKED  DOCTOR_NO_SHOW       system
"""
"""Written out by hand from the reference: state, what happens, state after it, who may make it happen."""


def written_out() -> dict[tuple[OrderState | None, EventKind, Party], OrderState]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return {
        (None if before == "-" else OrderState(before), EventKind(kind), Party(party)): OrderState(after)
        for before, kind, after, *parties in rows
        for party in parties
    }


def test_what_may_happen_and_by_whom_is_what_is_written_out():
    """Issue: allowed transitions and who may make them are one table, tested in full: states, kinds and parties."""
    table, found = written_out(), {}
    for state, kind, party in product((None, *OrderState), EventKind, Party):
        try:
            found[state, kind, party] = step(state, kind, by=party)
        except StateConflict:
            continue

    assert found == table
    assert len({(move.source, move.kind) for move in MOVES}) == len(TABLE.strip().splitlines())


@pytest.mark.parametrize(
    ("kind", "parties"),
    [
        ("PIN_VERIFIED", "desk"),
        ("PIN_OVERRIDDEN", "desk"),
        ("STARTED", "desk clinician"),
        ("COMPLETED", "desk clinician"),
        ("NO_SHOW", "desk"),
        ("CANCELLED", "consumer desk system"),
        ("DOCTOR_NO_SHOW", "consumer"),
        ("EXPIRED", "time"),
    ],
)
def test_who_may_is_read_from_the_table(kind, parties):
    """Ours: rules of access to a provider's own interface stand on it."""
    assert who_may(EventKind(kind)) == {Party(each) for each in parties.split()}


def test_every_kind_of_event_may_happen_to_some_order():
    """Ours: a kind that no row has would be a word without a meaning."""
    assert {move.kind for move in MOVES} == set(EventKind)
    assert all(follows(move.source, move.kind) is move.target for move in MOVES)


def test_every_move_of_the_network_outside_the_table_is_refused():
    """UHI order states: what the table does not list does not happen, by neither side and in no other message."""
    for source, target, role, via in product(OrderState, OrderState, (Role.CONSUMER, Role.PROVIDER), Via):
        listed = any(
            (move.source, move.target, move.via) == (source, target, via)
            and role in {party.role for party in move.parties}
            for move in MOVES
        )
        if source is target or listed:
            assert transition(source, target, by=role, via=via) is target
        else:
            with pytest.raises(StateConflict):
                transition(source, target, by=role, via=via)


@given(STATES, st.sampled_from(Role), st.sampled_from(Via))
def test_the_same_state_again_is_a_refresh(state, party, via):
    """UHI on_update: a second COMPLETED with the care context is published, so a repeat is no error."""
    assert transition(state, state, by=party, via=via) is state


@pytest.mark.parametrize("end", ENDS)
def test_an_end_has_no_way_out(end):
    """UHI order states: FAILED, COMPLETED, CANCELLED, NO_SHOW and DOCTOR_NO_SHOW lead nowhere."""
    assert [move for move in MOVES if move.source is OrderState(end) and move.target is not move.source] == []


def test_a_consumer_may_set_the_doctors_no_show_and_cancel_and_nothing_else():
    """UHI order states: the consumer's moves of an order that has a state on the wire."""
    ours = {
        (move.target.value, move.via.value)
        for move in MOVES
        if Party.CONSUMER in move.parties and move.target.travels and move.source is not move.target
    }

    assert ours == {("DOCTOR_NO_SHOW", "on_update"), ("CANCELLED", "cancel")}


def test_the_refusal_says_what_would_be_possible():
    """Ours: an error says got, expected, next."""
    with pytest.raises(StateConflict) as caught:
        transition(OrderState.CONFIRMED, OrderState.COMPLETED, by=Role.PROVIDER, via=Via.ON_UPDATE)
    with pytest.raises(StateConflict, match="NO_SHOW or PIN_MISSED"):
        step(OrderState.CONFIRMED, EventKind.COMPLETED, by=Party.DESK)

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
