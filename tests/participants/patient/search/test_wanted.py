"""What goes out, what is shared, and what is kept of a search."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from participants.patient.search.asked import SearchBody, SlotQuery, slots_window, wanted_of
from participants.patient.search.lifetimes import LONGEST, kept_until
from participants.patient.search.wanted import Wanted, key_of, query_of, read_wanted, write_wanted
from tests.participants.demo_hospital.village import MONDAY
from tests.participants.patient.search.findings import ANYBODY, WEEK
from uhi.booking.hospital import Window
from uhi.booking.intents import write_search
from uhi.errors import Refusal
from uhi.messages import Catalog
from uhi.messages.values import Place, Point
from uhi.messages.wire import emit

NOW = MONDAY.timestamp()
HERE = Point(18.53, 73.85)


def sent(wanted: Wanted) -> str:
    """What goes out."""
    return str(emit(write_search(query_of(wanted), wanted.window)))


def test_what_the_network_has_no_words_for_stays_here():
    """Issue, patient side: language, gender, experience, fee and a symptom's several specialities are weighed here."""
    own = replace(
        ANYBODY,
        language="Marathi",
        gender="F",
        experience=31.0,
        fee=Decimal(431),
        specialities=("NEUROLOGY", "CARDIOLOGY"),
        position=HERE,
    )

    assert sent(own) == sent(ANYBODY)


def test_one_speciality_goes_out():
    """Protocol, first search: `intent.category`."""
    assert "CARDIOLOGY" in sent(replace(ANYBODY, specialities=("Cardiology",)))


def test_circle_goes_out_whole():
    """Protocol, geo filter: all or nothing."""
    text = sent(replace(ANYBODY, position=HERE, kilometres=5.0))

    assert "'radius': {'type': 'CONSTANT', 'value': '5', 'unit': 'km'}" in text
    assert "18.530000,73.850000" in text


@pytest.mark.parametrize(
    ("change", "account", "shared"),
    [
        ({"fee": Decimal(1), "language": "Hindi"}, "b", True),
        ({"hospital": "CITY  hospital"}, "b", True),
        ({"window": Window(WEEK.start + timedelta(hours=3), WEEK.end + timedelta(hours=3))}, "b", True),
        ({"window": Window(WEEK.start + timedelta(days=1), WEEK.end)}, "b", False),
        ({"hospital": "lakeside"}, "b", False),
        ({"doctor": "Verma"}, "b", False),
        ({"position": HERE, "kilometres": 5.0}, "b", False),
    ],
)
def test_key_is_of_what_goes_out_by_day(change, account, shared):
    """Protocol, discovery cache: the same question; ours: what is somebody's own is not shared."""
    one = replace(ANYBODY, hospital="City Hospital")
    other = replace(one, **change)

    assert (key_of(one, "a", domain="d") == key_of(other, account, domain="d")) is shared


def test_whom_somebody_looks_for_is_shared_with_themselves():
    """Ours: the same account may see again what it has seen."""
    named = replace(ANYBODY, doctor="Verma")

    assert key_of(named, "a", domain="d") == key_of(named, "a", domain="d")
    assert key_of(named, "a", domain="d") != key_of(named, "b", domain="d")


def test_search_is_read_as_it_was_written():
    """Ours: what is sealed comes back value for value."""
    wanted = replace(
        ANYBODY, fee=Decimal("99.50"), position=HERE, kilometres=2.5, city=Place(name="Pune"), specialities=("A", "B")
    )

    assert read_wanted(write_wanted(wanted)) == wanted


@pytest.mark.parametrize(
    "days",
    [
        {"first_day": date(2026, 11, 22)},
        {"last_day": date(2026, 11, 22)},
        {"first_day": date(2026, 11, 25), "last_day": date(2026, 11, 24)},
        {"last_day": date(2027, 12, 1)},
        {"first_day": date.max},
        {"last_day": date.max},
    ],
)
def test_days_that_cannot_be_are_refused(days):
    """Ours: no question about the past, and none about years ahead."""
    with pytest.raises(Refusal):
        wanted_of(SearchBody(**days), now=NOW)


def test_time_searched_in_begins_now_and_ends_with_a_day():
    """Ours: days are India's."""
    window = wanted_of(SearchBody(last_day=date(2026, 11, 23)), now=NOW).window

    assert (window.start, window.end) == (MONDAY, MONDAY.replace(hour=0) + timedelta(days=1))


@pytest.mark.parametrize(("days", "following"), [(5, None), (30, date(2026, 12, 7))])
def test_slots_are_asked_for_fourteen_days_at_most(days, following):
    """Decision 22: a second search is for at most 14 days."""
    asked = SlotQuery.model_validate({"to": (MONDAY + timedelta(days=days)).date()})

    window, after = slots_window(asked, now=NOW)

    assert after == following
    assert window.end - window.start <= timedelta(days=14)


@pytest.mark.parametrize(
    ("catalog", "seconds"),
    [
        ({}, 3_600),
        ({"exp": "2026-11-23T08:10:00"}, 600),
        ({"exp": "2026-11-23T02:40:00Z"}, 600),
        ({"exp": "2030-01-01T00:00:00"}, LONGEST),
        ({"exp": "PT2M"}, 120),
        ({"exp": "soon"}, 0),
        ({"ttl": "PT5M"}, 300),
        ({"exp": "2026-11-23T08:10:00", "providers": [{"id": "a", "exp": "2026-11-23T08:05:00"}]}, 300),
        ({"providers": [{"id": "a", "ttl": "PT1M"}, {"id": "b"}]}, 60),
        ({"exp": "2020-01-01T00:00:00"}, -1),
    ],
)
def test_lifetime_of_what_is_cached(catalog, seconds):
    """Protocol, discovery cache: TTL honoured where given, 48 hours at most."""
    until = kept_until(Catalog.model_validate(catalog), now=NOW, usual=3_600.0)

    assert until - NOW == seconds if seconds >= 0 else until < NOW
