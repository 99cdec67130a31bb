"""The link to a consultation online, as the patient's application shows it to whose it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from participants.patient.bookings.desk import Around, Shown
from participants.patient.bookings.showing import booking_answer
from participants.patient.people.members import Member, Particulars
from tests.booking.ward import RAVI, REGISTERED, THREAD, found, slot
from uhi.booking.appointments import Booking, Reach
from uhi.booking.states import OrderState
from uhi.messages.values import Address

ONLINE = replace(slot(0, doctor=REGISTERED), fulfilment="Online")
LINK = "https://meet.example/uhi-1"
OURS = SimpleNamespace(
    id="b-1",
    member_id="m-1",
    waits_for="",
    consent_id="",
    replaces_id="",
    offer=SimpleNamespace(terms=()),
    key=SimpleNamespace(provider_id="clinic.example", order_id="o-1"),
)
CONFIRMED = Booking(
    order_id="o-1",
    thread=THREAD,
    found=found(ONLINE),
    quote=ONLINE.quote,
    state=OrderState.CONFIRMED,
    reach=Reach(join_url=LINK, grievance_contact="1800 9"),
)


@pytest.mark.parametrize(("minutes", "link"), [(-16, ""), (-15, LINK), (0, LINK), (20 + 30, LINK), (20 + 31, "")])
def test_link_is_shown_around_the_appointment_only(minutes, link):
    """Issue 5: a link that lies about is a way into somebody's consultation."""
    at = (ONLINE.start + timedelta(minutes=minutes)).timestamp()

    answer = booking_answer(Shown(OURS, CONFIRMED), now=at)

    assert (answer.reach.join_url, answer.reach.grievance_contact) == (link, "1800 9")
    assert LINK not in repr(answer)


def test_how_long_is_a_setting():
    """Issue 5: how early one may join is the application's to say."""
    shown = Shown(OURS, CONFIRMED, around=Around(before=timedelta(hours=1)))

    assert booking_answer(shown, now=(ONLINE.start - timedelta(minutes=59)).timestamp()).reach.join_url == LINK


def test_link_is_not_kept_with_answers_that_are_given_again():
    """Ours: answers kept under an idempotency key hold neither PIN nor link."""
    answer = booking_answer(Shown(OURS, CONFIRMED), now=ONLINE.start.timestamp())

    assert answer.to_keep().reach.join_url == ""


def test_holder_of_the_account_answers_for_a_child():
    """Telemedicine guidelines: a minor is identified with an adult."""
    holder = Particulars(name="Sita Kumar", relation="self", phone="9000000009", address=Address(city="Delhi"))
    about = replace(holder, name="Ravi Kumar", relation="son", born=date(2015, 5, 15), abha_address=RAVI.id)

    patient = Member(id="m-1", account_id="a-1", version=1, about=about, holder=holder).patient

    assert (patient.guardian.name, patient.guardian.phone) == ("Sita Kumar", "9000000009")
    assert "son" in patient.guardian.relation
