"""The list of empanelled hospitals, and what a search finds in it.

A row has all that NHA's tests ask of an answer; a row that lacks it is a mistake. Above: `app`; below: `uhi.listing`.
"""

from __future__ import annotations

import re

from uhi.listing import Entry, Source, Subject, Table
from uhi.listing.entries import FACILITY_COLUMNS
from uhi.listing.pmjay import SUBJECT, Care, EmpanelledHospital, read_query, write_hospital
from uhi.messages import Catalog, Intent
from uhi.messages.values import Descriptor

_DIGITS = re.compile(r"[0-9]{4,12}")
_KIND = re.compile(r"[A-Z]")
_YEAR = re.compile(r"[12][0-9]{3}(-[0-9]{2}-[0-9]{2})?")
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?")
_CARES = re.compile(r"[0-9]{1,9} [^;]{1,120}(; ?[0-9]{1,9} [^;]{1,120})*")


def _hospital(entry: Entry) -> EmpanelledHospital:
    facility = entry.facility()
    if facility.point is None:
        entry.fail("gps", "this is no position", "latitude,longitude")
    return EmpanelledHospital(
        facility=facility,
        phone=entry.form("phone", _DIGITS, "digits alone"),
        kind=entry.form("kind", _KIND, "one capital letter: G, P"),
        cares=_cares(entry),
        established=entry.form("established", _YEAR, "1915"),
        empanelled=_day(entry.form("empanelled", _DAY, "2018-09-14 16:03:16.0")),
        nodal_officer=entry.form("nodal_officer", _DIGITS, "digits alone"),
        contact=entry.form("contact", _DIGITS, "digits alone"),
        email=entry.text("email"),
        symbol=entry.text("symbol") or "Hospital",
        is_nabh=entry.yes("nabh"),
    )


def _cares(entry: Entry) -> tuple[Care, ...]:
    told = entry.form("specialities", _CARES, "100002 Cardiology; 100005 General Medicine")
    numbered = (each.strip().partition(" ") for each in told.split(";"))
    return tuple(Care(int(number), name.strip()) for number, _, name in numbered)


def _day(told: str) -> str:
    return told if len(told) > len("2018-09-14") else f"{told} 00:00:00.0"


HOSPITALS = Table(
    "hospital",
    ("id", "name", "kind", "gps", "phone", "nodal_officer", "specialities", "established", "empanelled"),
    (*(name for name in FACILITY_COLUMNS if name != "gps"), "email", "contact", "symbol", "nabh"),
    _hospital,
)


class EmpanelledHospitals:
    """`uhi.listing.Listing`: the hospitals that every filter of a search fits, in one answer."""

    def __init__(self, heading: Descriptor, *, hospitals: Source[EmpanelledHospital]) -> None:
        self._heading = heading
        self._hospitals = hospitals

    @property
    def subject(self) -> Subject:
        """Which searches concern it."""
        return SUBJECT

    async def find(self, intent: Intent) -> Catalog | None:
        """Return the hospitals that fit, none if there is none."""
        query = read_query(intent)
        if query is None:
            return None
        is_there = query.area.matcher
        fitting = [one for one in await self._hospitals.read() if is_there(one.facility) and query.wants(one)]
        return Catalog(descriptor=self._heading, providers=[write_hospital(one) for one in fitting])
