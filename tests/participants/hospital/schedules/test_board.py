"""Who has which time of which doctor: seats side by side, one doctor in one place, several in one consultation."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from participants.hospital.organisations.snapshot import Practice
from participants.hospital.schedules.board import Board, Place, Taken
from participants.hospital.schedules.derive import CalledOff, Timetable
from participants.hospital.schedules.week import Times, Week
from tests.participants.hospital.schedules.clinic import ASHA, NAIR, SOUTH
from uhi.booking.quotes import consultation_quote
from uhi.messages.values import PHYSICAL

SLOT = Times(1_000_000_000, 1_000_001_800)
WEEK = Week(rules=(), slot_minutes=30, seats=2)
NORTHERN = Practice(
    id="a" * 16,
    organisation_id="o",
    practitioner_id="p",
    location_id="north",
    doctor=ASHA,
    services={PHYSICAL: "s"},
    quotes={PHYSICAL: consultation_quote(ASHA.price)},
)
SOUTHERN = replace(NORTHERN, id="b" * 16, doctor=replace(ASHA, facility=SOUTH))
TOGETHER = replace(NORTHERN, id="c" * 16, groups={PHYSICAL: (NAIR,)})


def place(practice: Practice, **changes: object) -> Place:
    return Place.of(practice, Timetable(week=WEEK, **changes), PHYSICAL)


def board(*taken: Taken, doctors: tuple[str, ...] = (ASHA.id,)) -> Board:
    made = Board()
    for each in taken:
        made.put(doctors, each)
    return made


def test_a_seat_beside_another_is_free_and_no_third():
    """Issue "schedules and slots": capacity."""
    one, both = Taken(SLOT, 0, NORTHERN.id), Taken(SLOT, 1, NORTHERN.id)

    assert board().free_seat(place(NORTHERN), SLOT) == 0
    assert board(one).free_seat(place(NORTHERN), SLOT) == 1
    assert board(one, both).free_seat(place(NORTHERN), SLOT) is None


def test_a_doctor_who_is_elsewhere_has_no_seat_free():
    """Issue "booking": overlapping slots of one doctor are not sold twice, whatever the facility."""
    assert board(Taken(SLOT, 1, SOUTHERN.id)).free_seat(place(NORTHERN), SLOT) is None


def test_a_seat_that_was_called_off_is_not_offered():
    """Issue "schedules and slots": closed times."""
    off = (CalledOff(SLOT, 0),)

    assert board().free_seat(place(NORTHERN, called_off=off), SLOT) == 1


def test_everybody_of_a_group_has_to_be_free():
    """Issue "teleconsultation": group consultation with two doctors."""
    elsewhere = board(Taken(SLOT, 0, "d" * 16), doctors=(NAIR.id,))

    assert elsewhere.free_seat(place(TOGETHER), SLOT) is None
    assert elsewhere.free_seat(place(NORTHERN), SLOT) == 0


lengths = st.tuples(st.integers(0, 500), st.integers(5, 240)).map(
    lambda given: Times(SLOT.start + given[0] * 60, SLOT.start + (given[0] + given[1]) * 60)
)


@given(st.lists(lengths, max_size=12), lengths)
def test_nothing_that_overlaps_is_overlooked(taken, asked):
    """Ours: slots of different lengths stand beside one another when a week was changed."""
    found = board(*(Taken(times, 0, NORTHERN.id) for times in taken)).in_the_way(place(NORTHERN), asked)

    assert sorted(each.times for each in found) == sorted(times for times in taken if times.overlaps(asked))
