"""One entry of a list, whether it came from a data file or a database row: columns by name, read one by one.

Pure. An entry is flat, as a row of a spreadsheet is. Above: `data_file` and `sources`, which say where an entry stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, NoReturn, TypeVar

from uhi.booking.hospital import Facility
from uhi.messages.values import Location, Place, Point

T = TypeVar("T")

PLACE_COLUMNS = ("city", "city_code", "district", "district_code", "state", "state_code")
FACILITY_COLUMNS = ("short_desc", "long_desc", "address", "pincode", "gps", *PLACE_COLUMNS)
CONTACT_COLUMNS = ("phone", "email")

_ID = re.compile(r"[!-~]{1,255}")
_PINCODE = re.compile(r"[1-9][0-9]{5}")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{2,18}[0-9]")
_RUPEES = re.compile(r"[0-9]{1,7}(\.[0-9]{1,4})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_MEASURE = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}

Fail = Callable[[str, str, str], NoReturn]


@dataclass(frozen=True, slots=True)
class Entry:
    """The columns that are there, as text; `fail(column, what, expected)` says where a mistake stands and raises."""

    columns: Mapping[str, str]
    fail: Fail

    def text(self, name: str) -> str:
        """A text, empty if absent."""
        return self.columns.get(name, "")

    def form(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        """A text of a form, empty if absent."""
        value = self.text(name)
        if value and not pattern.fullmatch(value):
            self.fail(name, "this does not have the required form", expected)
        return value

    def ref(self, name: str) -> str:
        """An id as it travels."""
        return self.form(name, _ID, "1 to 255 printable characters without blanks")

    def chosen(self, name: str, among: Mapping[str, object]) -> str:
        """One of several codes, empty if absent."""
        value = self.text(name)
        if value and value not in among:
            self.fail(name, "this is none of the codes", " ".join(among))
        return value

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number, zero or more."""
        return int(self.form(name, _WHOLE, "a whole number, such as 12") or default)

    def measure(self, name: str, default: float = 0.0) -> float:
        """A length or another measure."""
        return float(self.form(name, _MEASURE, "a number, such as 12 or 2.5") or default)

    def rupees(self, name: str) -> Decimal | None:
        """An amount of rupees, None if absent."""
        value = self.form(name, _RUPEES, "rupees, such as 500 or 499.50")
        return Decimal(value) if value else None

    def yes(self, name: str, *, default: bool = False) -> bool:
        """A yes or a no."""
        value = self.text(name).lower()
        if value and value not in _YES_NO:
            self.fail(name, "this is neither yes nor no", "yes or no")
        return _YES_NO.get(value, default)

    def phone(self, name: str) -> str:
        """A telephone number, empty if absent."""
        return self.form(name, _PHONE, "4 to 20 digits")

    def point(self, name: str = "gps") -> Point | None:
        """A position, None if absent."""
        value = self.text(name)
        point = Location(gps=value).point if value else None
        if value and point is None:
            self.fail(name, "this is not a position", "latitude,longitude: 18.520430,73.856744")
        return point

    def place(self, level: str) -> Place | None:
        """A city, district or state: the column of that name, and its code in `<level>_code`."""
        name, code = self.text(level), self.text(f"{level}_code")
        return Place(name=name or None, code=code or None) if name or code else None

    def facility(self) -> Facility:
        """Who offers, and where: `id`, `name` and `FACILITY_COLUMNS`."""
        return Facility(
            id=self.ref("id"),
            name=self.text("name"),
            short_desc=self.text("short_desc"),
            long_desc=self.text("long_desc"),
            address=self.text("address"),
            pincode=self.form("pincode", _PINCODE, "six digits, such as 411005"),
            point=self.point(),
            city=self.place("city"),
            district=self.place("district"),
            state=self.place("state"),
        )


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """A list of entries of one kind: its name, its columns, and what one of them is read as.

    A database's table has the same columns; it may have others. `once` names the columns that tell entries apart,
    `refers` those that hold the `id` of an entry of another list, and which.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Entry], T]
    once: tuple[str, ...] = ("id",)
    refers: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column."""
        return self.required + self.optional
