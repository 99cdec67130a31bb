"""The single values of a hospital's file: each is read, or refused by file, line and place with a SetupError.

Above: `participants.demo_hospital.data`; below: the library's YAML nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from participants.hospital.schedules.hours import Span, read_span
from uhi.messages.values import ONLINE, PHYSICAL, Location, Place, Point, parse_date
from uhi.registry.yaml_nodes import Field

Fields = Mapping[str, Field]

_ID = re.compile(r"[!-~]{1,255}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_PINCODE = re.compile(r"[1-9][0-9]{5}")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{2,18}[0-9]")
_GENDER = re.compile(r"[MFOTU]")
_YEARS = re.compile(r"[0-9]{1,2}(\.[0-9])?")
_RUPEES = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")
_NUMBER = re.compile(r"[0-9]{1,4}")
_DAY = re.compile(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}")
_LEAP_YEAR = "2028-"
_DAY_EXPECTED = "2027-01-14, or 01-26 for every year"


def text(fields: Fields, name: str) -> str:
    """Return a text that may be absent, then empty."""
    return fields[name].text() if name in fields else ""


def read_id(field: Field) -> str:
    """Read an id as it travels."""
    return _form(field, _ID, "1 to 255 printable characters without blanks")


def read_code(field: Field) -> str:
    """Read the code of a speciality or a system of medicine."""
    return _form(field, _CODE, "capitals, digits and _, such as CARDIOLOGY")


def read_pincode(fields: Fields) -> str:
    """Read a postal code, which may be absent."""
    return _form(fields["pincode"], _PINCODE, "six digits, such as 411005") if "pincode" in fields else ""


def read_helpline(fields: Fields) -> str:
    """Read a telephone number, which may be absent."""
    return _form(fields["helpline_number"], _PHONE, "4 to 20 digits") if "helpline_number" in fields else ""


def read_gender(fields: Fields) -> str:
    """Read a gender by its letter, which may be absent."""
    return _form(fields["gender"], _GENDER, "M, F, O, T or U") if "gender" in fields else ""


def read_experience(fields: Fields) -> str:
    """Read years of experience, which may be absent; they stay the text they are."""
    return _form(fields["experience"], _YEARS, "years, such as 8.0") if "experience" in fields else ""


def read_rupees(fields: Fields, name: str) -> Decimal:
    """Read an amount of rupees, nothing if absent."""
    return Decimal(_form(fields[name], _RUPEES, "rupees, such as 500 or 499.50")) if name in fields else Decimal(0)


def read_yes(fields: Fields, name: str) -> bool:
    """Read a yes or a no, no if absent."""
    return name in fields and _form(fields[name], re.compile("yes|no"), "yes or no") == "yes"


def read_whole(field: Field, *, least: int, most: int) -> int:
    """Read a whole number within bounds."""
    expected = f"a whole number from {least} to {most}"
    number = int(_form(field, _NUMBER, expected))
    if not least <= number <= most:
        field.fail("this number is out of range", got=field.shown(), expected=expected)
    return number


def read_place(fields: Fields, level: str) -> Place | None:
    """Read a city, district or state with its code, which may be absent."""
    if level not in fields:
        return None
    place = fields[level].fields(required=("name", "code"), optional=())
    return Place(name=place["name"].text(), code=place["code"].text())


def read_point(fields: Fields) -> Point | None:
    """Read a position, which may be absent."""
    if "gps" not in fields:
        return None
    field = fields["gps"]
    point = Location(gps=field.text()).point
    if point is None:
        field.fail("this is not a position", got=field.shown(), expected="latitude,longitude: 18.520430,73.856744")
    return point


def read_fulfilments(fields: Fields) -> tuple[str, ...]:
    """Read the kinds of consultation, `Physical` alone if absent."""
    if "fulfilments" not in fields:
        return (PHYSICAL,)
    kinds = read_list(fields["fulfilments"])
    for kind in kinds:
        _form(kind, re.compile(f"{PHYSICAL}|{ONLINE}"), f"{PHYSICAL} or {ONLINE}")
    refuse_repeats(kinds)
    return tuple(kind.text() for kind in kinds)


def read_hours(field: Field) -> tuple[Span, ...]:
    """Read the working hours of a day; none may overlap another."""
    spans: list[Span] = []
    for entry in field.entries(""):
        span = read_part_of_day(entry)
        if any(span.overlaps(other) for other in spans):
            entry.fail("these hours overlap others of the day", got=entry.shown())
        spans.append(span)
    return tuple(spans)


def read_part_of_day(field: Field) -> Span:
    """Read `10:00-13:00`."""
    try:
        return read_span(field.text())
    except ValueError as error:
        field.fail(str(error), got=field.shown(), expected="10:00-13:00, within one day")


def read_holidays(fields: Fields) -> frozenset[str]:
    """Read days without consultations, none if absent."""
    return (
        frozenset(_holiday(field) for field in fields["holidays"].entries("")) if "holidays" in fields else frozenset()
    )


def read_list(field: Field) -> list[Field]:
    """Read a list with at least one entry."""
    entries = field.entries("")
    if not entries:
        field.fail("this list is empty", expected="at least one entry")
    return entries


def refuse_repeats(fields: Iterable[Field]) -> None:
    """Refuse a value that is there twice."""
    seen: set[str] = set()
    for field in fields:
        if field.text() in seen:
            field.fail("this is there twice", got=field.shown(), next_step="remove one of them")
        seen.add(field.text())


def _holiday(field: Field) -> str:
    day = _form(field, _DAY, _DAY_EXPECTED)
    try:
        parse_date(day if len(day) > len("01-26") else _LEAP_YEAR + day)
    except ValueError as error:
        field.fail(str(error), got=field.shown(), expected=_DAY_EXPECTED)
    return day


def _form(field: Field, pattern: re.Pattern[str], expected: str) -> str:
    value = field.text()
    if not pattern.fullmatch(value):
        field.fail("this does not have the required form", got=field.shown(), expected=expected)
    return value
