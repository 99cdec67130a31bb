"""What the REST interface of schedules takes, and how it is read: a mistake is refused by its place.

Above: routes, rows (a week is kept in the form it came in); below: `week`, `records`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date
from typing import Annotated, Literal

from pydantic import Field

from participants.hospital.schedules.hours import WEEKDAYS, Span, read_span
from participants.hospital.schedules.week import ZONE, Break, Rule, Times, Week
from uhi.api.problems import refusal_of
from uhi.api.routes import Body
from uhi.messages.times import parse_time

SpanText = Annotated[str, Field(max_length=20, examples=["10:00-13:00"])]
DayText = Annotated[str, Field(pattern="^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", examples=["2027-01-14"])]
MomentText = Annotated[str, Field(max_length=40, examples=["2027-01-14T10:00:00+05:30"])]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Kind = Literal["Physical", "Online"]
VersionNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]

_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|\+05:30)")
_YEARLY = re.compile(r"[0-9]{2}-[0-9]{2}")
_LEAP_YEAR = "2028-"


class RuleForm(Body):
    """Hours of one weekday. `every_weeks` counts from the week of `valid_from`; `kinds`: all where it is left out."""

    weekday: Weekday
    hours: SpanText
    valid_from: DayText | None = None
    valid_to: DayText | None = None
    every_weeks: int = Field(default=1, ge=1, le=12)
    kinds: tuple[Kind, ...] = Field(default=(), max_length=2)


class BreakForm(Body):
    """A part of a day without consultations, of one weekday or of each."""

    hours: SpanText
    weekday: Weekday | None = None


class WeekForm(Body):
    """The whole week of a practice; it takes the place of the one before.

    Each slot has so many `seats`. It is offered from `horizon_days` before it until `lead_minutes` before it.
    """

    rules: tuple[RuleForm, ...] = Field(max_length=100)
    slot_minutes: int = Field(ge=5, le=240)
    seats: int = Field(default=1, ge=1, le=20)
    breaks: tuple[BreakForm, ...] = Field(default=(), max_length=20)
    lead_minutes: int = Field(default=0, ge=0, le=10_080)
    horizon_days: int = Field(default=30, ge=1, le=365)
    zone: str = Field(default=ZONE, max_length=64)


class WeekWanted(WeekForm):
    """A week, and the version of the one it takes the place of: 0 where there is none."""

    version: VersionNumber = 0


class ExceptionWanted(Body):
    """Other hours of one day, none to close it; and the version it takes the place of: 0 where there is none."""

    hours: tuple[SpanText, ...] = Field(default=(), max_length=10)
    note: str = Field(default="", max_length=200)
    version: VersionNumber = 0


class HolidayWanted(Body):
    """A day without consultations: `2027-01-14`, or `01-26` for every year; at all locations where none is named."""

    organisation_id: str = Field(min_length=1, max_length=64)
    location_id: str = Field(default="", max_length=64)
    day: str = Field(min_length=5, max_length=10, examples=["01-26"])
    name: str = Field(default="", max_length=100)


class HolidayChange(Body):
    """A holiday's day and name from now on, and its version as it was read."""

    day: str = Field(min_length=5, max_length=10)
    name: str = Field(default="", max_length=100)
    version: VersionNumber


class LeaveWanted(Body):
    """When a practitioner is away from an organisation. Moments name their zone: `+05:30` or `Z`."""

    organisation_id: str = Field(min_length=1, max_length=64)
    practitioner_id: str = Field(min_length=1, max_length=64)
    starts_at: MomentText
    ends_at: MomentText


class LeaveChange(Body):
    """When it is from now on, and the leave's version as it was read."""

    starts_at: MomentText
    ends_at: MomentText
    version: VersionNumber


class Dropped(Body):
    """The version of what is to go, as it was read."""

    version: VersionNumber


class ListQuery(Body):
    """A part of a list: what comes after a key, at most so many."""

    after: str = Field(default="", max_length=100)
    most: int = Field(default=100, ge=1, le=500)


class HolidayQuery(ListQuery):
    """The holidays of an organisation, of one location where it is named."""

    organisation_id: str = Field(min_length=1, max_length=64)
    location_id: str = Field(default="", max_length=64)


class LeaveQuery(ListQuery):
    """The leave of an organisation's practitioners, of one where it is named."""

    organisation_id: str = Field(min_length=1, max_length=64)
    practitioner_id: str = Field(default="", max_length=64)


class SpanQuery(Body):
    """From a moment to another, at most 31 days. A `+` is written `%2B` in an address; `Z` needs nothing."""

    since: MomentText = Field(alias="from")
    until: MomentText = Field(alias="to")
    kind: Kind = "Physical"


def read_week(form: WeekForm) -> Week:
    """Read a week.

    Raises: Refusal(REQUEST_INVALID) that names the place of the first mistake.
    """
    if form.zone != ZONE:
        raise refusal_of(("zone", f"is to be {ZONE}: times travel as Indian times, without a zone"))
    week = Week(
        rules=tuple(_rule(f"rules[{n}]", rule) for n, rule in enumerate(form.rules)),
        slot_minutes=form.slot_minutes,
        seats=form.seats,
        breaks=tuple(
            Break(
                _span(f"breaks[{n}].hours", each.hours), None if each.weekday is None else WEEKDAYS.index(each.weekday)
            )
            for n, each in enumerate(form.breaks)
        ),
        lead_minutes=form.lead_minutes,
        horizon_days=form.horizon_days,
    )
    if form.lead_minutes >= form.horizon_days * 24 * 60:
        raise refusal_of(("lead_minutes", "is to be less than the horizon: otherwise nothing is ever offered"))
    return week


def read_day(path: str, text: str) -> date:
    """Read a day, `2027-01-14`.

    Raises: Refusal(REQUEST_INVALID).
    """
    try:
        return date.fromisoformat(text) if re.fullmatch(r"20\d\d-\d\d-\d\d", text, re.ASCII) else _no_day(path)
    except ValueError:
        return _no_day(path)


def read_holiday(path: str, text: str) -> str:
    """Read a day of one year or of every year.

    Raises: Refusal(REQUEST_INVALID).
    """
    read_day(path, _LEAP_YEAR + text if _YEARLY.fullmatch(text) else text)
    return text


def read_hours(path: str, texts: Sequence[str]) -> tuple[Span, ...]:
    """Read parts of a day.

    Raises: Refusal(REQUEST_INVALID).
    """
    return tuple(_span(f"{path}[{n}]", text) for n, text in enumerate(texts))


def read_times(starts_at: str, ends_at: str, *, names: tuple[str, str] = ("starts_at", "ends_at")) -> Times:
    """Read from when to when, in whole seconds.

    Raises: Refusal(REQUEST_INVALID) for a moment that names no zone, or another one than India's or `Z`.
    """
    start, end = _moment(names[0], starts_at), _moment(names[1], ends_at)
    if end <= start:
        raise refusal_of((names[1], f"is to be after {names[0]}"))
    return Times(start, end)


def _rule(path: str, form: RuleForm) -> Rule:
    valid_from = read_day(f"{path}.valid_from", form.valid_from) if form.valid_from else None
    valid_to = read_day(f"{path}.valid_to", form.valid_to) if form.valid_to else None
    if valid_from and valid_to and valid_to < valid_from:
        raise refusal_of((f"{path}.valid_to", "is to be no day before valid_from"))
    if form.every_weeks > 1 and valid_from is None:
        raise refusal_of((f"{path}.valid_from", "is required with every_weeks: it names the first week"))
    return Rule(
        weekday=WEEKDAYS.index(form.weekday),
        hours=_span(f"{path}.hours", form.hours),
        valid_from=valid_from,
        valid_to=valid_to,
        every_weeks=form.every_weeks,
        kinds=frozenset(form.kinds),
    )


def _span(path: str, text: str) -> Span:
    try:
        return read_span(text)
    except ValueError as error:
        refusal = refusal_of((path, f"{error}; write 10:00-13:00"))
    raise refusal


def _moment(path: str, text: str) -> int:
    try:
        if _MOMENT.fullmatch(text):
            return int(parse_time(text).astimezone(UTC).timestamp())
    except ValueError:
        pass
    raise refusal_of((path, "is to be a moment with its zone, +05:30 or Z, such as 2027-01-14T10:00:00+05:30"))


def _no_day(path: str) -> date:
    raise refusal_of((path, "is to be a day that there is, such as 2027-01-14 (or 01-26 for a yearly holiday)"))
