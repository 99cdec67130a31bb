"""Orders as they are sealed, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.booking.ward import ASHA, RAVI, THREAD, slot
from uhi.booking.hospital import Hold, Patient, Slot, Window
from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import read_order, write_order
from uhi.booking.pin import Override, Pin, PinStatus
from uhi.booking.quotes import Line, Quote
from uhi.booking.reasons import Cancellation, CancelledBy, OverrideReason
from uhi.booking.states import OrderState
from uhi.errors import SetupError
from uhi.faults import OUTCOMES
from uhi.messages.values import IST, Address, Billing, Customer, Point, Term
from uhi.messages.wire import dump

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, IST]))  # noqa: DTZ001
MONEY = st.decimals(0, 999_999, places=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
AS_IT_CAME = WORDS | st.none() | st.integers(0, 9_999)
ADDRESS = st.fixed_dictionaries({}, optional={"door": AS_IT_CAME, "area_code": AS_IT_CAME, "x": JSON})
PERSON = st.fixed_dictionaries(
    {}, optional={"name": AS_IT_CAME, "dob": AS_IT_CAME, "tags": st.just({"a": 1, "b": [2.5]})}
)
CUSTOMER = st.fixed_dictionaries({}, optional={"id": AS_IT_CAME, "person": PERSON | st.none()}).map(
    Customer.model_validate
)
BILLING = st.fixed_dictionaries({}, optional={"phone": AS_IT_CAME, "address": ADDRESS}).map(Billing.model_validate)
TERM = st.fixed_dictionaries(
    {}, optional={"type": WORDS, "reasonRequired": st.booleans() | WORDS, "timePeriod": AS_IT_CAME, "y": JSON}
).map(Term.model_validate)
QUOTE = st.builds(Quote, MONEY, st.lists(st.builds(Line, WORDS, MONEY), max_size=2).map(tuple))
PATIENT = st.builds(
    Patient,
    id=WORDS,
    name=WORDS,
    phone=WORDS,
    address=ADDRESS.map(Address.model_validate),
    born=st.none() | st.dates(date(1900, 1, 1)),
)
POINT = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
WINDOW = st.builds(Window, TIMES, TIMES)
DOCTOR = st.builds(
    lambda point, window, price: replace(
        ASHA, facility=replace(ASHA.facility, point=point), available=window, price=price
    ),
    st.none() | POINT,
    st.none() | WINDOW,
    MONEY,
)
SLOT = st.builds(Slot, id=WORDS, doctor=DOCTOR, start=TIMES, end=TIMES, quote=QUOTE, seat=st.integers(0, 9))
PIN = st.builds(
    Pin,
    st.just("0042") | st.just(""),
    TIMES,
    TIMES,
    st.sampled_from(PinStatus),
    st.integers(0, 3),
    st.none() | st.builds(Override, st.sampled_from(OverrideReason), WORDS),
)
ORDERS = st.builds(
    KeptOrder,
    id=WORDS,
    state=st.sampled_from(OrderState),
    thread=st.just(THREAD),
    hold=st.builds(Hold, id=WORDS, slot=SLOT, patient=PATIENT, until=TIMES),
    terms=st.lists(TERM, max_size=2).map(tuple),
    billing=st.none() | BILLING,
    customer=st.none() | CUSTOMER,
    appointment_id=WORDS,
    pin=st.none() | PIN,
    failure=st.none() | st.sampled_from(list(OUTCOMES.values())),
    cancellation=st.none() | st.builds(Cancellation, st.sampled_from(CancelledBy), WORDS, WORDS),
    version=st.integers(0, 9),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(ORDERS)
def test_an_order_comes_back_value_for_value(order):
    """Decision 8: round trip value for value, numbers as numbers."""
    token = order.pin.token if order.pin else ""

    again = read_order(write_order(order), token=token, version=order.version)

    assert again == order
    for name in ("billing", "customer"):
        came, went = getattr(order, name), getattr(again, name)
        assert (came and repr(dump(came))) == (went and repr(dump(went)))
    assert [repr(dump(term)) for term in again.terms] == [repr(dump(term)) for term in order.terms]


def test_the_digits_of_a_pin_are_not_written():
    """Decision 37: a column of their own."""
    hold = Hold(id="h", slot=slot(), patient=RAVI, until=slot().start)
    pin = Pin("0042", slot().start, slot().start + timedelta(hours=1))
    order = KeptOrder(id="a", state=OrderState.CONFIRMED, thread=THREAD, hold=hold, terms=(), pin=pin)

    assert b"0042" not in write_order(order)


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"id": 1}'])
def test_what_was_not_written_here_is_not_read(text):
    """Privacy: said without a word of it."""
    with pytest.raises(SetupError):
        read_order(text, token="", version=1)
