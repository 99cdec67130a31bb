"""Answers put together: one entry for each doctor, every offer in one of them, live in the place of what was known."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from participants.patient.search.merging import Answered, Board
from participants.patient.search.sorting import Order, in_order
from participants.patient.search.wanted import Wanted
from tests.participants.demo_hospital.village import ASHA, RAVI
from tests.participants.patient.search.findings import ANYBODY, WEEK, answered, answers, doctors
from uhi.booking.hospital import Facility
from uhi.messages.values import ONLINE, PHYSICAL, Point

AT_HFR = replace(ASHA, facility=Facility(id="north", name="North", hfr_id="IN27"))


def test_same_doctor_at_the_same_registered_facility_is_one():
    """Issue, patient side: de-duplicated by HPR address, HFR id and kind; every offer is kept."""
    elsewhere = replace(AT_HFR, id="Asha.Verma@hpr.ndhm", facility=Facility(id="77", name="The North", hfr_id="in27"))

    [entry] = Board("s").after([answered(1, AT_HFR), answered(2, elsewhere, by="two.example")]).entries

    assert [offer.by.provider_id for offer in entry.offers] == ["one.example", "two.example"]


def test_ids_of_providers_own_are_not_taken_for_registered_ones():
    """Protocol, ids are local to the provider: `1` here is not `1` there."""
    local = replace(ASHA, facility=Facility(id="1", name="North"))
    unregistered = replace(AT_HFR, id="17")
    board = Board("s").after([answered(n, local, unregistered, by=f"{n}.example") for n in (1, 2)])

    assert board.size == 4


def test_kinds_of_consultation_are_apart():
    """Issue, patient side: the kind is part of what makes an entry."""
    online, here = replace(AT_HFR, fulfilments=(ONLINE,)), replace(AT_HFR, fulfilments=(PHYSICAL,))

    assert Board("s").after([answered(1, online, here)]).size == 2


def test_live_answer_takes_away_what_was_known():
    """Protocol, discovery cache: the live search says what is true."""
    board = Board("s").after([answered(1, ASHA, RAVI, cached=True)])

    changed = board.take(answered(2, ASHA))

    assert [entry.doctor.name for entry in changed.entries] == [ASHA.name]
    assert len(changed.gone) == 1
    assert (board.size, board.answered) == (1, 1)


def test_known_answer_after_a_live_one_changes_nothing():
    """Ours: what is true is not put back."""
    board = Board("s").after([answered(1, ASHA)])

    assert board.take(answered(2, RAVI, cached=True)).entries == ()
    assert board.size == 1


def test_late_providers_are_counted():
    """Protocol, late answers: marked late."""
    board = Board("s").after([answered(1, ASHA), answered(2, RAVI, by="two.example", late=True)])

    assert (board.answered, board.late) == (2, 1)


@given(answers())
def test_every_offer_is_in_one_entry_and_none_is_known_where_its_provider_answered(came: list[Answered]):
    """Ours, for all answers: nothing is lost, nothing doubled, nothing out of date."""
    board = Board("s").after(came)

    refs = [offer.ref for entry in board.entries for offer in entry.offers]
    live = {answer.provider_id for answer in came if not answer.cached}
    cached = {o.by.provider_id for entry in board.entries for o in entry.offers if o.by.cached}
    wanted = {
        (answer.provider_id, found.doctor.facility.id, found.doctor.id)
        for answer in came
        if not (answer.cached and answer.provider_id in live)
        for found in answer.doctors
    }
    assert len(refs) == len(set(refs))
    assert not cached & live
    assert wanted >= {
        (offer.by.provider_id, offer.found.doctor.facility.id, offer.found.doctor.id)
        for entry in board.entries
        for offer in entry.offers
    }
    assert all(board.offer(ref) is not None for ref in refs)


@given(answers())
def test_told_changes_add_up_to_the_board(came: list[Answered]):
    """Ours, for all answers: a reader who takes every event as told sees what a page shows."""
    board, seen = Board("s"), {}

    for answer in came:
        changed = board.take(answer)
        seen |= {entry.id: entry for entry in changed.entries}
        for entry_id in changed.gone:
            seen.pop(entry_id, None)

    assert seen == {entry.id: entry for entry in Board("s").after(came).entries}


@given(answers(), st.sampled_from(Order), st.none() | st.builds(Point, st.floats(8, 35), st.floats(68, 97)))
def test_order_is_the_same_whatever_came_first_and_loses_nobody(came, order, position):
    """Ours, for all answers: pages neither overlap nor leave gaps."""
    entries = Board("s").after(came).entries
    wanted = replace(ANYBODY, position=position)

    shown = in_order(entries, order, wanted)

    assert shown == in_order(reversed(entries), order, wanted)
    assert sorted(entry.id for entry in shown) == sorted(entry.id for entry in entries)


@given(st.lists(doctors(), max_size=8))
def test_lowest_fee_and_soonest_time_stand_first(found):
    """Issue, patient side: sorted on the server."""
    entries = Board("s").after([answered(1, *found)]).entries
    wanted = Wanted(window=WEEK)

    fees = [entry.doctor.price for entry in in_order(entries, Order.FEE, wanted)]
    times = [entry.doctor.available for entry in in_order(entries, Order.EARLIEST, wanted)]

    assert fees == sorted(fees)
    starts = [time.start for time in times if time]
    assert starts == sorted(starts)
    assert all(time is None for time in times[len(starts) :])
