"""The lists of a laboratory: its places, when and how samples are taken there, and the tests with their prices.

Above: `desk`, which offers them; below: `uhi.listing`. The file in `demo/` shows the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from uhi.booking.hospital import Facility, Speciality, Window
from uhi.booking.quotes import Line, Quote
from uhi.listing import Entry, Origin, Source, Table
from uhi.listing.entries import FACILITY_COLUMNS
from uhi.messages.values import IST

DOMAIN = "nic2008:86905"
"""Ours: NHA publishes no domain for laboratories. It is the class of independent diagnostic laboratories, beside those
of blood banks and ambulances, which NHA does use."""

HOME, LAB = "HOME_COLLECTION", "LAB_VISIT"
KINDS = {HOME: "at home", LAB: "at the lab"}

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SOME_DAYS = re.compile(rf"({'|'.join(_DAYS)})( ({'|'.join(_DAYS)}))*")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Collection:
    """A team that takes samples of one kind for a lab, `seats` at a time, on some days from `opens` to `closes`.

    A team for homes drives as far as `reach_km` from the lab.
    """

    id: str
    lab_id: str
    kind: str
    days: frozenset[int]
    opens: time
    closes: time
    minutes: int
    seats: int
    reach_km: float

    def within(self, window: Window) -> Iterator[Window]:
        """Yield the times that start in a window, in order."""
        day, last = (moment.astimezone(IST).date() for moment in (window.start, window.end))
        length = timedelta(minutes=self.minutes)
        while day <= last:
            start, closes = datetime.combine(day, self.opens, IST), datetime.combine(day, self.closes, IST)
            while day.weekday() in self.days and start + length <= closes:
                if window.start <= start < window.end:
                    yield Window(start, start + length)
                start += length
            day += timedelta(days=1)

    def at(self, start: datetime) -> Window | None:
        """Return the time that starts at a moment, None if there is none."""
        return next(self.within(Window(start, start + timedelta(seconds=1))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabTest:
    """A test, or a package of several (`includes`), at a lab's price; `report_hours` after the sample is its report."""

    lab_id: str
    code: str
    name: str
    department: Speciality
    price: Decimal
    visit_charge: Decimal
    at_home: bool
    includes: str = ""
    preparation: str = ""
    report_hours: int = 24

    @property
    def speciality(self) -> Speciality:
        """The test as the field that a sample is taken for, below its department."""
        return Speciality(self.code, self.name, self.department.code, self.department.name)

    def quote(self, kind: str) -> Quote:
        """What it costs, with the visit where the sample is taken at home."""
        lines = [Line(self.name, self.price)]
        if kind == HOME and self.visit_charge:
            lines.append(Line("Visit at home", self.visit_charge))
        return Quote(sum((line.amount for line in lines), Decimal("0.00")), tuple(lines))


def _lab(entry: Entry) -> Facility:
    return entry.facility()


def _collection(entry: Entry) -> Collection:
    opens, closes = (time.fromisoformat(entry.form(name, _CLOCK, "07:30")) for name in ("opens", "closes"))
    minutes, seats = entry.whole("slot_minutes"), entry.whole("seats", 1)
    if closes <= opens:
        entry.fail("closes", "this is not after the opening", "a later time of the day")
    if not 5 <= minutes <= 240:
        entry.fail("slot_minutes", "this number is out of range", "5 to 240")
    if not 1 <= seats <= 100:
        entry.fail("seats", "this number is out of range", "1 to 100")
    days = entry.form("days", _SOME_DAYS, "mon tue wed thu fri sat")
    return Collection(
        id=entry.form("id", _NAME, "letters, digits and _.-"),
        lab_id=entry.ref("lab_id"),
        kind=entry.chosen("kind", KINDS),
        days=frozenset(_DAYS.index(day) for day in days.split()),
        opens=opens,
        closes=closes,
        minutes=minutes,
        seats=seats,
        reach_km=entry.measure("reach_km", 10.0),
    )


def _test(entry: Entry) -> LabTest:
    department = Speciality(entry.text("department_code"), entry.text("department"))
    return LabTest(
        lab_id=entry.ref("lab_id"),
        code=entry.form("code", _NAME, "letters, digits and _.-"),
        name=entry.text("name"),
        department=department,
        price=entry.rupees("price") or Decimal(0),
        visit_charge=entry.rupees("visit_charge") or Decimal(0),
        at_home=entry.yes("at_home"),
        includes=entry.text("includes"),
        preparation=entry.text("preparation"),
        report_hours=entry.whole("report_hours", 24),
    )


LABS = Table("lab", ("id", "name"), FACILITY_COLUMNS, _lab)
COLLECTIONS = Table(
    "collection",
    ("id", "lab_id", "kind", "days", "opens", "closes", "slot_minutes"),
    ("seats", "reach_km"),
    _collection,
    refers=(("lab_id", LABS.name),),
)
TESTS = Table(
    "lab_test",
    ("lab_id", "code", "name", "department", "department_code", "price"),
    ("visit_charge", "at_home", "includes", "preparation", "report_hours"),
    _test,
    once=("lab_id", "code"),
    refers=(("lab_id", LABS.name),),
)
LISTS = (LABS.name, COLLECTIONS.name, TESTS.name)


@dataclass(frozen=True, slots=True)
class Offered:
    """A test as one team takes the sample for it."""

    lab: Facility
    collection: Collection
    test: LabTest


class Labs:
    """Labs, teams and tests, as they are now."""

    def __init__(self, *, labs: Source[Facility], collections: Source[Collection], tests: Source[LabTest]) -> None:
        self._labs = labs
        self._collections = collections
        self._tests = tests

    @classmethod
    def of(cls, origin: Origin) -> Labs:
        """The lists of an origin.

        Raises: SetupError for a mistake in one of them.
        """
        return cls(labs=origin.source(LABS), collections=origin.source(COLLECTIONS), tests=origin.source(TESTS))

    async def offered(self, kind: str = "") -> list[Offered]:
        """Return every test with every team that takes its sample; of one kind where named."""
        labs = {lab.id: lab for lab in await self._labs.read()}
        tests: dict[str, list[LabTest]] = {}
        for test in await self._tests.read():
            tests.setdefault(test.lab_id, []).append(test)
        return [
            Offered(labs[team.lab_id], team, test)
            for team in await self._collections.read()
            if team.lab_id in labs and kind in {"", team.kind}
            for test in tests.get(team.lab_id, ())
            if team.kind != HOME or test.at_home
        ]

    async def test(self, lab_id: str, code: str) -> LabTest | None:
        """Return a test of a lab by its code."""
        return next((test for test in await self._tests.read() if (test.lab_id, test.code) == (lab_id, code)), None)
