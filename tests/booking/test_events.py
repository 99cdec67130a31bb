"""What happened to an order: told apart, and put together again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.test_store import NOW, an_order
from tests.booking.ward import DAY, MEENA, THREAD, slot
from uhi.booking.events import OrderEvent, events_between, events_up_to, first_fault, replay
from uhi.booking.kept import KeptOrder
from uhi.booking.pin import missed, new_pin, set_aside, verify
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import MOVES, EventKind, OrderState
from uhi.booking.terms import agree, default_terms
from uhi.errors import SetupError, StateConflict
from uhi.faults import SLOT_UNAVAILABLE
from uhi.messages.values import Billing, Customer

PERSON = "person 0190"


def held() -> KeptOrder:
    order = an_order("a", terms=default_terms(slot()), customer=Customer(id=MEENA.id))
    return replace(order, billing=Billing(name="Meena Rao"))


def happened(order: KeptOrder, kind: EventKind, target: OrderState) -> KeptOrder:
    """The order after one row of the table, with everything that may come with it."""
    pin, again = order.pin, replace(order.hold, until=order.hold.until + timedelta(minutes=1))
    changes: dict[EventKind, dict[str, object]] = {
        EventKind.HELD_AGAIN: {"hold": again, "thread": replace(THREAD, transaction_id=str(again.until))},
        EventKind.TERMS_AGREED: {"terms": agree(order.terms)},
        EventKind.CONFIRMED: {"appointment_id": "visit-1", "pin": new_pin(DAY)},
        EventKind.FAILED: {"failure": SLOT_UNAVAILABLE},
        EventKind.PIN_MISSED: {"pin": pin and missed(pin)},
        EventKind.PIN_VERIFIED: {"pin": pin and verify(replace(pin, misses=0), pin.token, now=DAY)},
        EventKind.PIN_OVERRIDDEN: {"pin": pin and set_aside(pin, "OVERRIDE_EUA_OUTAGE")},
        EventKind.RECORDS_LINKED: {"care_context_id": order.care_context_id + "c"},
        EventKind.CANCELLED: {"cancellation": Cancellation(CancelledBy.DOCTOR, "DOCTOR_OTHER", "ill", is_late=True)},
        EventKind.RESCHEDULED: {"rescheduled_to": order.rescheduled_to + "b"},
    }
    return replace(order, state=target, **changes.get(kind, {}))


@given(st.lists(st.integers(0, 99), max_size=12))
def test_a_stream_leads_to_the_order_it_tells_of(choices):
    """Issue: state is a projection that can be rebuilt, whatever happened in whatever order the table allows."""
    order = held()
    stream = list(events_between(None, order, at=NOW, by=PERSON))
    for choice in choices:
        order = replace(order, version=len(stream))
        ways = [move for move in MOVES if move.source is order.state and move.kind is not EventKind.HELD]
        if not ways:
            break
        after = happened(order, ways[choice % len(ways)].kind, ways[choice % len(ways)].target)
        stream += events_between(order, after, at=NOW, by=PERSON)
        order = after

    shown = order.pin and replace(order.pin, token="")
    assert replay(stream) == replace(order, pin=shown, version=len(stream))
    assert first_fault(stream) is None


def test_several_things_at_once_are_an_event_each():
    """Issue: held, terms agreed, confirmed, cancelled, rescheduled: each is an event, by whoever made it."""
    before = replace(held(), version=1)
    booked = replace(happened(before, EventKind.CONFIRMED, OrderState.CONFIRMED), terms=agree(before.terms))
    gone = replace(happened(booked, EventKind.CANCELLED, OrderState.CANCELLED), rescheduled_to="b", version=3)

    first = events_between(before, booked, at=NOW, by=PERSON)
    second = events_between(replace(booked, version=3), gone, at=NOW, by=PERSON)

    assert [(event.version, event.kind.value, event.by) for event in first + second] == [
        (2, "TERMS_AGREED", "consumer app.example"),
        (3, "CONFIRMED", PERSON),
        (4, "CANCELLED", PERSON),
        (5, "RESCHEDULED", "consumer app.example"),
    ]
    assert [set(event.facts) for event in first] == [{"terms"}, {"state", "appointment_id", "pin"}]


def test_another_reason_to_set_a_pin_aside_is_no_wrong_try():
    """Issue: the stream is the audit trail; who gives a second reason has overridden it twice."""
    booked = happened(replace(held(), version=1), EventKind.CONFIRMED, OrderState.CONFIRMED)
    aside = happened(booked, EventKind.PIN_OVERRIDDEN, OrderState.CONFIRMED)
    again = replace(aside, pin=set_aside(aside.pin, "OVERRIDE_EMERGENCY_CONSULTATION"))
    tried = replace(again, pin=missed(again.pin))

    steps = [(booked, aside), (aside, again), (again, tried)]
    kinds = [event.kind for before, after in steps for event in events_between(before, after, at=NOW, by=PERSON)]

    assert kinds == [EventKind.PIN_OVERRIDDEN, EventKind.PIN_OVERRIDDEN, EventKind.PIN_MISSED]


def test_no_event_has_the_digits_of_a_pin_and_none_shows_a_patient():
    """Decision 37: the digits are in one column that is emptied; privacy: nothing of a patient in a repr."""
    booked = happened(replace(held(), version=1), EventKind.CONFIRMED, OrderState.CONFIRMED)
    booked = replace(booked, pin=replace(booked.pin, token="4711"))

    stream = [*events_between(None, held(), at=NOW, by=PERSON), *events_between(held(), booked, at=NOW, by=PERSON)]

    assert "4711" not in str([event.facts for event in stream])
    assert MEENA.id in str(stream[0].facts)
    assert MEENA.id not in repr(stream)


def test_nothing_happened_between_an_order_and_itself():
    """Ours: telling the news again is no event; digits that are dropped are none either."""
    booked = happened(held(), EventKind.CONFIRMED, OrderState.CONFIRMED)

    assert events_between(booked, replace(booked, pin=replace(booked.pin, token="")), at=NOW, by=PERSON) == ()


@pytest.mark.parametrize("state", OrderState)
def test_an_order_without_a_stream_gets_one_that_the_table_allows(state):
    """Ours: orders of an earlier release, whatever became of them, are checked like all others."""
    end = {"cancellation": Cancellation(CancelledBy.DOCTOR, "DOCTOR_OTHER")} if state is OrderState.CANCELLED else {}
    order = replace(held(), state=state, appointment_id="visit-1" if state.travels else "", version=7, **end)

    stream = events_up_to(order, at=NOW, by=PERSON)

    assert replay(stream) == replace(order, version=len(stream))
    assert first_fault(stream) is None


def test_a_change_that_no_event_stands_for_is_refused():
    """Ours: what is kept is what the stream tells, so nothing is kept beside it."""
    with pytest.raises(StateConflict, match="offer_for"):
        events_between(held(), replace(held(), offer_for="z"), at=NOW, by=PERSON)


@pytest.mark.parametrize("versions", [(), (2,), (1, 3), (1, 1)])
def test_a_stream_with_a_gap_tells_of_no_order(versions):
    """Ours: what is missing may be what matters."""
    (event,) = events_between(None, held(), at=NOW, by=PERSON)

    with pytest.raises(SetupError, match="not all there"):
        replay([replace(event, version=version) for version in versions])


def test_an_event_that_may_not_happen_is_found():
    """Ours: the table of moves holds for a stream."""
    (event,) = events_between(None, held(), at=NOW, by=PERSON)
    started = OrderEvent("a", 2, EventKind.STARTED, NOW, PERSON, {"state": "APPOINTMENT_STARTED"})

    assert first_fault([event, started]) is started
