"""Doctors who were found, and answers made of them, for tests without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from participants.patient.search.merging import Answered
from participants.patient.search.wanted import Wanted
from tests.participants.demo_hospital.village import ASHA, MONDAY
from uhi.booking.found import FoundDoctor
from uhi.booking.hospital import Doctor, Facility, Speciality, Window
from uhi.messages.values import PHYSICAL, Point, Provider
from uhi.network import CONSULTATION_DOMAIN
from uhi.verified import Thread

WEEK = Window(MONDAY, MONDAY + timedelta(days=7))
ANYBODY = Wanted(window=WEEK)


def found(doctor: Doctor = ASHA, *, by: str = "one.example") -> FoundDoctor:
    """A doctor as a provider offers them."""
    thread = Thread(CONSULTATION_DOMAIN, "t-1", "app.example", by)
    return FoundDoctor(doctor, thread, Provider(id=doctor.facility.id))


def answered(seq: int, *doctors: Doctor, by: str = "one.example", cached: bool = False, late: bool = False) -> Answered:
    """A provider's answer."""
    offers = tuple(found(doctor, by=by) for doctor in doctors)
    return Answered(seq, by, 1_000.0 + seq, offers, cached=cached, late=late)


@st.composite
def doctors(draw: st.DrawFn) -> Doctor:
    """A doctor of whom several may be the same, at places of which several may be the same."""
    starts = draw(st.none() | st.integers(0, 500).map(lambda hours: MONDAY + timedelta(hours=hours)))
    point = draw(st.none() | st.builds(Point, st.floats(8, 35), st.floats(68, 97)))
    hfr_id = draw(st.sampled_from(["", "IN1", "in1", "IN2"]))
    return replace(
        ASHA,
        id=draw(st.sampled_from(["a@hpr.ndhm", "A@hpr.ndhm", "b@hpr.ndhm", "7", "8"])),
        facility=Facility(id=draw(st.sampled_from(["f", "g"])), name="F", hfr_id=hfr_id, point=point),
        price=Decimal(draw(st.integers(0, 2_000))),
        speciality=draw(st.none() | st.just(Speciality("CARDIOLOGY", "Cardiology"))),
        experience=draw(st.sampled_from(["", "8.5", "12 years", "many"])),
        available=Window(starts, starts + timedelta(hours=1)) if starts else None,
        fulfilments=(PHYSICAL,),
    )


@st.composite
def answers(draw: st.DrawFn) -> list[Answered]:
    """What came, numbered: what is known of earlier searches first, then live answers, several of one provider too."""
    known = draw(st.lists(st.sampled_from(["one.example", "two.example", "three.example"]), unique=True))
    live = draw(st.lists(st.sampled_from(["one.example", "two.example", "four.example"]), max_size=4))
    came = [(by, True) for by in known] + [(by, False) for by in live]
    return [
        answered(seq, *draw(st.lists(doctors(), max_size=4)), by=by, cached=cached)
        for seq, (by, cached) in enumerate(came, start=1)
    ]
