"""Which doctors a query concerns: the search filters of UHI, one by one.

Pure; for hospitals that do not filter in their own database. Codes of places differ between systems, so a place fits by
name or by code. Source: NHA Physical Consultation v2.0, search and geo filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from uhi.booking.hospital import Doctor, DoctorQuery, Facility, Speciality
from uhi.messages.values import Circle, Place, Point

_EARTH_KM = 6371.0088
_TITLES = frozenset({"dr", "doctor", "prof", "professor"})
_WORD = re.compile(r"\w+")
_NOWHERE = "INDIA"

Fits = Callable[[Doctor], bool]
FacilityFits = Callable[[Facility], bool]


def matches(query: DoctorQuery, doctor: Doctor) -> bool:
    """Whether a doctor fits every filter of a query.

    Names fit when each word of the filter is part of a word of the name, in any case; titles do not count.
    """
    return matcher(query)(doctor)


def matcher(query: DoctorQuery) -> Fits:
    """Return `matches` for one query and many doctors: the words of the query are read once."""
    filters, is_there = tuple(_of_doctor(query)), facility_matcher(query)
    return lambda doctor: all(fits(doctor) for fits in filters) and is_there(doctor.facility)


def facility_matcher(query: DoctorQuery) -> FacilityFits:
    """Return the part of `matcher` that weighs where something is: name, pincode, circle, city, district, state."""
    filters = tuple(_of_facility(query))
    return lambda facility: all(fits(facility) for fits in filters)


def words_fit(wanted: str, name: str) -> bool:
    """Whether each word of a wanted name is part of a word of another, in any case; titles do not count."""
    return _words_fit(_words(wanted), name)


def distance_km(one: Point, other: Point) -> float:
    """Return the distance between two positions along the great circle, in kilometres (haversine)."""
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def is_speciality(wanted: str, known: Speciality) -> bool:
    """Return whether a code or name is that of a speciality, in British or American spelling."""
    return _field(wanted) in {_field(known.code), _field(known.name)}


def _of_doctor(query: DoctorQuery) -> Iterator[Fits]:
    hpr, speciality, window = query.hpr.casefold(), query.speciality, query.window
    yield lambda doctor: query.fulfilment in doctor.fulfilments
    if query.doctor:
        name = _words(query.doctor)
        yield lambda doctor: _words_fit(name, doctor.name)
    if query.hpr:
        yield lambda doctor: hpr in {doctor.id.casefold(), doctor.hpr_id.casefold()}
    if query.speciality:
        yield lambda doctor: doctor.speciality is not None and is_speciality(speciality, doctor.speciality)
    if window is not None:
        yield lambda doctor: doctor.available is None or doctor.available.overlaps(window)


def _of_facility(query: DoctorQuery) -> Iterator[FacilityFits]:
    pincode, near = _plain(query.pincode), query.near
    if query.facility:
        name = _words(query.facility)
        yield lambda facility: _words_fit(name, facility.name)
    if query.pincode:
        yield lambda facility: pincode == _plain(facility.pincode)
    if near is not None:
        yield lambda facility: _is_near(near, facility.point)
    city, district, state = (_place(place) for place in (query.city, query.district, query.state))
    if city:
        yield lambda facility: city.fits(facility.city)
    if district:
        yield lambda facility: district.fits(facility.district)
    if state:
        yield lambda facility: state.fits(facility.state)


@dataclass(frozen=True, slots=True)
class _WantedPlace:
    name: str
    code: str

    def fits(self, stands: Place | None) -> bool:
        if stands is None:
            return False
        known = _WantedPlace(_plain(stands.name or ""), _plain_code(stands.code))
        return bool(self.name and self.name == known.name) or bool(self.code and self.code == known.code)


def _place(wanted: Place | None) -> _WantedPlace | None:
    if wanted is None or not (wanted.name or wanted.code) or _plain(wanted.name or "") == _plain(_NOWHERE):
        return None
    return _WantedPlace(_plain(wanted.name or ""), _plain_code(wanted.code))


def _is_near(circle: Circle, point: Point | None) -> bool:
    return point is not None and distance_km(circle.centre, point) <= circle.kilometres


def _field(text: str) -> str:
    # Paediatrics and pediatrics, orthopaedics and orthopedics, homoeopathy and homeopathy.
    return _plain(text).replace("ae", "e").replace("oe", "e")


def _words(wanted: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(wanted.casefold()) if word not in _TITLES)


def _words_fit(wanted: Sequence[str], name: str) -> bool:
    parts = _WORD.findall(name.casefold())
    return bool(wanted) and all(any(word in part for part in parts) for word in wanted)


def _plain(text: str) -> str:
    return "".join(_WORD.findall(text.casefold())).replace("_", "")


def _plain_code(code: str | None) -> str:
    return _plain(code or "").lstrip("0")
