"""Slots follow from the week and what changes it: none overlaps another, none lies where something closes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participants.hospital.schedules.derive import CalledOff, Timetable, Why
from participants.hospital.schedules.hours import DAY_MINUTES, Span, read_span
from participants.hospital.schedules.week import Break, Rule, Times, Week, day_of, midnight
from uhi.messages.values import IST, ONLINE, PHYSICAL

MONDAY = date(2026, 11, 23)
MORNING = Week(rules=tuple(Rule(weekday=day, hours=Span(600, 720)) for day in range(7)), slot_minutes=30)

days = st.dates(MONDAY, MONDAY + timedelta(days=400))
kinds = st.sampled_from([PHYSICAL, ONLINE])
spans = st.tuples(st.integers(0, DAY_MINUTES), st.integers(0, DAY_MINUTES)).filter(lambda ends: ends[0] != ends[1])
parts = spans.map(lambda ends: Span(min(ends), max(ends)))
weekdays = st.integers(0, 6)
rules = st.builds(
    Rule,
    weekday=weekdays,
    hours=parts,
    valid_from=st.just(MONDAY),
    valid_to=st.none() | days,
    every_weeks=st.integers(1, 4),
    kinds=st.sets(kinds).map(frozenset),
)
weeks = st.builds(
    Week,
    rules=st.lists(rules, max_size=12).map(tuple),
    slot_minutes=st.integers(5, 240),
    seats=st.integers(1, 3),
    breaks=st.lists(st.builds(Break, parts, st.none() | weekdays), max_size=3).map(tuple),
)
stretches = st.tuples(days, st.integers(0, 1_439), st.integers(1, 20_000)).map(
    lambda given: Times(midnight(given[0]) + given[1] * 60, midnight(given[0]) + (given[1] + given[2]) * 60)
)
timetables = st.builds(
    Timetable,
    week=weeks,
    exceptions=st.dictionaries(days, st.lists(parts, max_size=2).map(tuple), max_size=5),
    holidays=st.frozensets(days.map(date.isoformat) | days.map(lambda day: day.isoformat()[5:]), max_size=5),
    leave=st.lists(stretches, max_size=3).map(tuple),
)


def minutes(times: Times) -> Span:
    begin = midnight(day_of(times.start))
    return Span((times.start - begin) // 60, (times.end - begin) // 60)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp())


@given(timetables, days, kinds)
def test_slots_of_a_practice_and_kind_come_in_order_and_never_overlap(timetable, day, kind):
    """Issue "schedules and slots": whatever rules overlap, one slot ends before the next begins, and each is as long
    as the week says."""
    slots = list(timetable.on(day, kind))

    assert all(earlier.end <= later.start for earlier, later in pairwise(slots))
    assert all(slot.end - slot.start == timetable.week.slot_minutes * 60 for slot in slots)


@given(timetables, days, kinds)
def test_no_slot_lies_in_a_break_a_holiday_leave_or_outside_the_hours(timetable, day, kind):
    """Issue "schedules and slots": rules with exceptions, holidays, leave, breaks."""
    rule_hours = [rule.hours for rule in timetable.week.rules if rule.holds(day, kind)]
    hours = timetable.exceptions.get(day, rule_hours)

    for slot in timetable.on(day, kind):
        part = minutes(slot)
        assert {day.isoformat(), day.isoformat()[5:]}.isdisjoint(timetable.holidays)
        assert not any(away.overlaps(slot) for away in timetable.leave)
        assert not any(b.hours.overlaps(part) for b in timetable.week.breaks if b.weekday in {None, day.weekday()})
        assert all(any(span.start <= minute < span.end for span in hours) for minute in range(part.start, part.end))


@given(timetables, days, kinds)
def test_every_slot_is_found_by_its_start_and_fits(timetable, day, kind):
    """Ours: what was offered can be held, and needs no attention."""
    for slot in timetable.on(day, kind):
        assert timetable.at(slot.start, kind) == slot
        assert timetable.misfit(slot, kind, 0) is None


@given(timetables, st.tuples(stretches, stretches).map(sorted), kinds)
def test_neighbouring_spans_find_every_slot_once(timetable, bounds, kind):
    """Ours: whoever asks span by span misses no slot and sees none twice."""
    start, middle = bounds[0].start, bounds[1].start
    end = min(bounds[1].end, middle + 20 * 86_400)
    start = max(start, middle - 20 * 86_400)

    found = [*timetable.within(Times(start, middle), kind), *timetable.within(Times(middle, end), kind)]

    assert found == list(timetable.within(Times(start, end), kind))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"holidays": frozenset({"2026-11-23"})}, Why.HOLIDAY),
        ({"holidays": frozenset({"11-23"})}, Why.HOLIDAY),
        ({"exceptions": {MONDAY: ()}}, Why.EXCEPTION),
        ({"exceptions": {MONDAY: (read_span("14:00-15:00"),)}}, Why.HOURS),
        ({"leave": (Times(at("2026-11-23T10:20"), at("2026-11-23T10:40")),)}, Why.LEAVE),
        ({"called_off": (CalledOff(Times(at("2026-11-23T10:00"), at("2026-11-23T10:30")), 0),)}, Why.CALLED_OFF),
        ({"week": Week(rules=MORNING.rules, slot_minutes=20)}, Why.HOURS),
        ({"week": Week(rules=(), slot_minutes=30)}, Why.HOURS),
        ({}, None),
    ],
)
def test_what_was_booked_needs_attention_for_a_reason(change, why):
    """Issue "schedules and slots": changing a schedule lists the appointments that need attention."""
    booked = Times(at("2026-11-23T10:00"), at("2026-11-23T10:30"))
    timetable = Timetable(**{"week": MORNING, **change})

    assert timetable.misfit(booked, PHYSICAL, 0) is why


def test_a_seat_that_is_no_longer_offered_needs_attention():
    """Issue "schedules and slots": capacity."""
    booked = Times(at("2026-11-23T10:00"), at("2026-11-23T10:30"))

    assert Timetable(week=MORNING).misfit(booked, PHYSICAL, 1) is Why.SEATS


def test_every_second_week_counts_from_the_week_of_the_first_day():
    """Issue "schedules and slots": weekly rules; a rule that begins on a Thursday counts that week as the first."""
    rule = Rule(weekday=0, hours=Span(600, 630), valid_from=date(2026, 11, 26), every_weeks=2)
    timetable = Timetable(week=Week(rules=(rule,), slot_minutes=30))

    mondays = [MONDAY + timedelta(weeks=n) for n in range(6)]

    assert [bool(list(timetable.on(day, PHYSICAL))) for day in mondays] == [False, False, True, False, True, False]


def test_hours_may_be_for_one_kind_of_consultation():
    """Issue "schedules and slots": online hours beside those in person."""
    rule = Rule(weekday=0, hours=Span(600, 660), kinds=frozenset({ONLINE}))
    timetable = Timetable(week=Week(rules=(rule,), slot_minutes=30))

    assert [len(list(timetable.on(MONDAY, kind))) for kind in (PHYSICAL, ONLINE)] == [0, 2]


@pytest.mark.parametrize(
    ("lead", "horizon", "first", "end"),
    [(0, 1, "2026-11-23T09:00:01", "2026-11-24T09:00"), (90, 30, "2026-11-23T10:30", "2026-12-23T09:00")],
)
def test_lead_time_and_horizon_bound_what_is_offered(lead, horizon, first, end):
    """Issue "schedules and slots": booking horizon, lead time."""
    week = Week(rules=(), slot_minutes=30, lead_minutes=lead, horizon_days=horizon)

    assert week.offered(float(at("2026-11-23T09:00"))) == Times(at(first), at(end))


@given(days, st.integers(0, 86_399))
def test_days_begin_at_midnight_in_india(day, second):
    """Decision 16: only Indian time goes on the wire."""
    begin = datetime(day.year, day.month, day.day, tzinfo=IST)

    assert midnight(day) == begin.timestamp()
    assert day_of(midnight(day) + second) == day
