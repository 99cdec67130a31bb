"""Working hours become slots: none overlaps another, none lies outside, and an id is a claim and no more."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participants.demo_hospital.schedule import Schedule, offered
from participants.hospital.schedules.hours import DAY_MINUTES, SlotName, Span, read_slot_id, read_span
from uhi.booking.hospital import Window
from uhi.booking.intents import LONGEST_WINDOW
from uhi.messages.values import IST, ONLINE

MONDAY = date(2026, 11, 23)
MORNING = Schedule(hours=((Span(600, 720),),) * 7, slot_minutes=30)

days = st.dates(date(2026, 1, 1), date(2030, 12, 31))
moments = st.builds(
    lambda day, minute: datetime.combine(day, time(), IST) + timedelta(minutes=minute), days, st.integers(0, 1439)
)
spans = st.tuples(st.integers(0, DAY_MINUTES), st.integers(0, DAY_MINUTES)).filter(lambda ends: ends[0] != ends[1])
breaks = st.lists(spans.map(lambda ends: Span(min(ends), max(ends))), max_size=4).map(tuple)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any week, with hours of a day that do not overlap and breaks that may."""
    week = []
    for _ in range(7):
        ends = sorted(draw(st.sets(st.integers(0, DAY_MINUTES), max_size=6)))
        week.append(tuple(Span(start, end) for start, end in zip(ends[::2], ends[1::2], strict=False)))
    return Schedule(hours=tuple(week), slot_minutes=draw(st.integers(5, 240)), breaks=draw(breaks))


def minutes(slot: Window) -> Span:
    midnight = slot.start.replace(hour=0, minute=0)
    start, end = (int((moment - midnight).total_seconds()) // 60 for moment in (slot.start, slot.end))
    return Span(start, end)


@given(schedules(), days)
def test_slots_of_a_day_come_in_order_and_never_overlap(schedule, day):
    """Ours: one doctor sees one patient at a time."""
    slots = list(schedule.on(day))

    assert all(earlier.end <= later.start for earlier, later in pairwise(slots))
    assert all(slot.end - slot.start == timedelta(minutes=schedule.slot_minutes) for slot in slots)


@given(schedules(), days)
def test_every_slot_lies_in_working_hours_and_outside_breaks(schedule, day):
    """Ours: the file's hours and breaks are kept to the minute."""
    hours = schedule.hours[day.weekday()]

    for slot in map(minutes, schedule.on(day)):
        assert any(span.start <= slot.start and slot.end <= span.end for span in hours)
        assert not any(slot.overlaps(pause) for pause in schedule.breaks)


@given(schedules(), days)
def test_no_slot_is_wasted_where_one_fits(schedule, day):
    """Ours: between the slots, within hours and without breaks, no stretch is left in which one more would fit."""
    taken = [minutes(slot) for slot in schedule.on(day)] + list(schedule.breaks)

    for span in schedule.hours[day.weekday()]:
        for start in range(span.start, span.end - schedule.slot_minutes + 1):
            possible = Span(start, start + schedule.slot_minutes)
            assert any(possible.overlaps(other) for other in taken)


@pytest.mark.parametrize("holiday", ["2026-11-23", "11-23"])
def test_holiday_has_no_slots(holiday):
    """Ours: a holiday is one day, or a day of every year."""
    schedule = Schedule(hours=MORNING.hours, slot_minutes=30, holidays=frozenset({holiday}))

    assert list(schedule.on(MONDAY)) == []
    assert len(list(schedule.on(MONDAY + timedelta(days=1)))) == 4


def test_slots_begin_anew_after_a_break():
    """Ours: a break of ten minutes does not shift into the next slot."""
    schedule = Schedule(hours=MORNING.hours, slot_minutes=30, breaks=(read_span("10:40-10:50"),))

    starts = [f"{slot.start:%H:%M}" for slot in schedule.on(MONDAY)]

    assert starts == ["10:00", "10:50", "11:20"]


@given(schedules(), st.tuples(moments, moments, moments).map(sorted))
def test_neighbouring_windows_find_every_slot_once(schedule, bounds):
    """Ours: whoever asks window by window misses no slot and sees none twice."""
    start, middle, end = bounds[0], min(bounds[1], bounds[0] + LONGEST_WINDOW), bounds[2]
    end = min(end, middle + LONGEST_WINDOW)

    found = [*schedule.within(Window(start, middle)), *schedule.within(Window(middle, end))]

    assert found == list(schedule.within(Window(start, end)))
    assert all(start <= slot.start < end for slot in found)


def test_window_begins_with_its_start_and_ends_before_its_end():
    """Ours: a slot at the very start of a window is in it, one at its end is in the next."""
    ten = datetime(2026, 11, 23, 10, tzinfo=IST)

    found = MORNING.within(Window(ten, ten + timedelta(hours=1)))

    assert [f"{slot.start:%H:%M}" for slot in found] == ["10:00", "10:30"]


@given(moments, moments, moments, st.integers(1, 365).map(lambda count: timedelta(days=count)))
def test_offered_window_is_never_past_nor_long_nor_far(start, end, now, horizon):
    """Decision on limits: at most 14 days per window; ours: from now to the horizon."""
    cut = offered(Window(start, end), now=now, horizon=horizon)

    assert cut.start >= now
    assert cut.start >= start
    assert cut.end <= min(end, cut.start + LONGEST_WINDOW, now + horizon)


def test_schedule_knows_whether_a_slot_fits_at_all():
    """Ours: a file whose hours leave no room for a slot is a mistake of its author."""
    narrow = Schedule(hours=MORNING.hours, slot_minutes=70, breaks=(read_span("11:00-11:05"),))

    assert MORNING.has_slots
    assert not narrow.has_slots


@given(schedules(), days, st.sampled_from(["Physical", "Online"]))
def test_slot_id_leads_back_to_its_slot(schedule, day, fulfilment):
    """Ours: the id alone says which slot is meant, in every process."""
    for slot in schedule.on(day):
        name = read_slot_id(str(SlotName("0123456789abcdef", slot.start, fulfilment)))

        assert name == SlotName("0123456789abcdef", slot.start, fulfilment)
        assert schedule.at(name.start) == slot


@given(moments)
def test_moment_that_starts_no_slot_leads_nowhere(moment):
    """Ours: an id may name any minute; only the schedule makes it a slot."""
    slot = MORNING.at(moment)

    assert slot is None or (slot.start == moment and moment.minute in {0, 30})


@given(
    st.text(max_size=60) | st.from_regex(r"[0-9a-f]{16}-20[0-9]{6}T[0-9]{4}-(physical|online|other)", fullmatch=True)
)
def test_foreign_id_is_no_slot_and_no_accident(text):
    """Ours: an id comes from outside; whatever it holds, it is read or it is not."""
    name = read_slot_id(text)

    assert name is None or str(name) == text


@pytest.mark.parametrize(
    "text",
    [
        "0123456789abcdef-20260230T1000-physical",
        "0123456789abcdef-20261123T2460-physical",
        "0123456789abcdef-20261123T1000-Physical",
        "0123456789abcdef-20261123T1000-physical ",
        "0123456789ABCDEF-20261123T1000-physical",
    ],
)
def test_almost_an_id_is_none(text):
    """Ours: one slot has one id."""
    assert read_slot_id(text) is None


def test_slot_id_is_short_and_tells_no_name():
    """Decision on ids: 1 to 255 printable characters without blanks."""
    slot_id = str(SlotName("0123456789abcdef", datetime(2026, 11, 23, 10, tzinfo=IST), ONLINE))

    assert slot_id == "0123456789abcdef-20261123T1000-online"


@pytest.mark.parametrize(
    "text", ["10:00", "13:00-10:00", "10:00-10:00", "10:00-24:01", "25:00-26:00", "10:60-11:00", "९:००-१०:००"]
)
def test_text_that_is_no_part_of_a_day_is_refused(text):
    """Ours: hours are written as 10:00-13:00, and end on their day."""
    with pytest.raises(ValueError, match=r"form|end"):
        read_span(text)


def test_day_may_end_at_midnight():
    """Ours: 24:00 is the end of a day, so that evening hours can be written."""
    assert read_span("20:00 - 24:00") == Span(1200, DAY_MINUTES)
