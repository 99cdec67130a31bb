"""Times, days and durations: read liberally, written in one form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.messages.times import IST, Time, When, parse_date, parse_time, ttl_seconds, utc_time, when, wire_time
from uhi.messages.wire import dump

MOMENTS = st.integers(-30_000_000_000_000, 250_000_000_000_000).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds, microseconds=7)
)
TEN = datetime(2026, 4, 16, 10, 0, tzinfo=IST)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-04-16T10:00:00", TEN),
        ("2026-04-16 10:00:00.0", TEN),
        ("2026-04-16T10:00", TEN),
        ("2026-04-16T10:00:00+05:30", TEN),
        ("2026-04-16T10:00:00+0530", TEN),
        ("2026-04-16T04:30:00Z", TEN),
        ("2026-04-16T04:30:00.000000z", TEN),
        ("2026-04-16T10:00:00.481906", TEN + timedelta(microseconds=481906)),
        ("2026-04-16T10:00:00,5", TEN + timedelta(milliseconds=500)),
        ("2026-04-16T10:00:00.123456789", TEN + timedelta(microseconds=123456)),
    ],
)
def test_a_time_without_a_zone_is_indian_time(text, moment):
    """Decision 16 and the samples: message times have no zone; some senders write one, or a fraction."""
    assert parse_time(text) == moment
    assert parse_time(text).utcoffset() is not None


def test_the_caller_may_say_what_no_zone_means():
    """Decision 16: `context.timestamp` is UTC."""
    assert parse_time("2026-04-16T04:30:00", zone=UTC) == TEN


@pytest.mark.parametrize(
    "text",
    [
        *("1915", "", "T10:15Z", "2026-04-16", "16-04-2026 10:00:00", "2026-04-16T10", "20260416T100000"),
        *("2026-02-30T10:00:00", "2026-04-16T25:00:00", "2026-04-16T10:00:60", "2026-04-16T10:00:00+25:00"),
        *("0001-01-01T00:00:00", "9999-12-31T23:59:59", "٢٠٢٦-04-16T10:00:00", "2026-04-16T10:00:00\n"),
    ],
)
def test_what_is_no_time_is_refused_without_being_quoted(text):
    """Ours: a year, a day or digits of another script are no time; the text may be anything, so it is not repeated."""
    with pytest.raises(ValueError, match=r"^(not a date|no such date|year out of)") as refused:
        parse_time(text)

    assert not text or text not in str(refused.value)


@given(st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,12}(Z|[+-][0-9]{4})?", fullmatch=True))
def test_any_text_is_a_time_or_a_value_error(text):
    """Ours: hostile text raises nothing else, and what is read can be converted to every zone."""
    try:
        moment = parse_time(text)
    except ValueError:
        return

    assert moment.astimezone(UTC) == moment


@given(MOMENTS)
def test_a_written_message_time_reads_back_to_the_second(moment):
    """Decision 16: Indian time, no zone, whole seconds."""
    text = wire_time(moment)

    assert len(text) == 19
    assert parse_time(text) == moment.replace(microsecond=0)


@given(MOMENTS)
def test_a_written_timestamp_is_utc_and_reads_back_to_the_millisecond(moment):
    """Decision 16: RFC 3339 with Z."""
    text = utc_time(moment)

    assert text.endswith("Z")
    assert parse_time(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_times_of_other_zones_are_converted():
    """Decision 16: only Indian time goes on the wire."""
    moment = datetime(2026, 4, 16, 0, 30, tzinfo=timezone(timedelta(hours=-4)))

    assert wire_time(moment) == "2026-04-16T10:00:00"
    assert utc_time(moment) == "2026-04-16T04:30:00.000Z"
    assert dump(when(moment)) == {"time": {"timestamp": "2026-04-16T10:00:00"}}


@pytest.mark.parametrize("write", [wire_time, utc_time, when])
def test_a_time_without_a_zone_is_not_written(write):
    """Ours: a naive time is a guess."""
    with pytest.raises(ValueError, match="without zone"):
        write(datetime(2026, 4, 16))  # noqa: DTZ001


@pytest.mark.parametrize("holder", [{}, {"time": None}, {"time": {}}, {"time": {"timestamp": 1915}}])
def test_a_time_that_is_absent_or_unreadable_is_none_and_survives(holder):
    """Irregularities: start of a fulfilment may hold a year."""
    start = When.model_validate(holder)

    assert start.at is None
    assert dump(start) == holder


def test_a_time_stays_the_text_that_came():
    """Decision 8: times are kept as text."""
    time = Time.model_validate({"timestamp": "2018-09-14 16:03:16.0"})

    assert time.at == datetime(2018, 9, 14, 16, 3, 16, tzinfo=IST)
    assert dump(time) == {"timestamp": "2018-09-14 16:03:16.0"}


@pytest.mark.parametrize(("text", "day"), [("1990-01-15", date(1990, 1, 15)), ("1990-1-5", date(1990, 1, 5))])
def test_a_day_may_be_unpadded(text, day):
    """Irregularities: one published birth date is 1990-1-5."""
    assert parse_date(text) == day


@pytest.mark.parametrize("text", ["", "1990", "15-01-1990", "1990-02-30", "1990-00-00", "1990-01-15T00:00:00"])
def test_what_is_no_day_is_refused(text):
    """Ours: a day has a year, a month and a day of the calendar."""
    with pytest.raises(ValueError, match=r"date"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30S", 30),
        ("PT0.5S", 0.5),
        ("PT1,5S", 1.5),
        ("PT2M", 120),
        ("PT1H30M", 5400),
        ("P1D", 86400),
        ("PT24H", 86400),
    ],
)
def test_a_time_to_live_is_an_iso_duration(text, seconds):
    """UHI context: `ttl` is an ISO 8601 duration; ours: at most a day."""
    assert ttl_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "P",
        "PT",
        "P1DT",
        "PT0S",
        "PT24H1S",
        "P2D",
        "P1W",
        "P1M",
        "-PT5S",
        "PT-5S",
        "30",
        "pt30s",
        "PT٥S",
        "PT5S\n",
    ],
)
def test_a_time_to_live_nobody_can_use_counts_as_none(text):
    """Ours: an optional hint is no reason to lose a message; receivers have a lifetime of their own."""
    assert ttl_seconds(text) is None


@given(st.text() | st.from_regex(r"P([0-9]{1,4}D)?T?([0-9]{1,9}[HMS])*", fullmatch=True))
def test_a_time_to_live_is_more_than_nothing_and_at_most_a_day(text):
    """Ours: no text makes a message live for ever."""
    seconds = ttl_seconds(text)

    assert seconds is None or 0 < seconds <= 86400
