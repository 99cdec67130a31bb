"""Which doctors a query concerns: the search filters of UHI, one by one.

Pure; for hospitals that do not filter in their own database. Codes of places differ between systems, so a place fits by
name or by code. Source: NHA Physical Consultation v2.0, search and geo filter.
"""

from __future__ import annotations

import re
from math import asin, cos, radians, sin, sqrt

from uhi.booking.hospital import Doctor, DoctorQuery, Facility
from uhi.messages.values import Circle, Place, Point

_EARTH_KM = 6371.0088
_TITLES = frozenset({"dr", "doctor", "prof", "professor"})
_WORD = re.compile(r"\w+")
_NOWHERE = "INDIA"


def matches(query: DoctorQuery, doctor: Doctor) -> bool:
    """Whether a doctor fits every filter of a query.

    Names fit when each word of the filter is part of a word of the name, in any case; titles do not count.
    """
    facility = doctor.facility
    return (
        query.fulfilment in doctor.fulfilments
        and (not query.doctor or _words_fit(query.doctor, doctor.name))
        and (not query.hpr or query.hpr.casefold() in {doctor.id.casefold(), doctor.hpr_id.casefold()})
        and (not query.speciality or _speciality_fits(query.speciality, doctor))
        and (not query.facility or _words_fit(query.facility, facility.name))
        and _stands_in(facility, query)
        and (query.window is None or doctor.available is None or doctor.available.overlaps(query.window))
    )


def distance_km(one: Point, other: Point) -> float:
    """Return the distance between two positions along the great circle, in kilometres (haversine)."""
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def _stands_in(facility: Facility, query: DoctorQuery) -> bool:
    wanted = ((query.city, facility.city), (query.district, facility.district), (query.state, facility.state))
    return (
        all(_place_fits(place, stands) for place, stands in wanted)
        and (not query.pincode or _plain(query.pincode) == _plain(facility.pincode))
        and (query.near is None or _is_near(query.near, facility.point))
    )


def _place_fits(wanted: Place | None, stands: Place | None) -> bool:
    if wanted is None or not (wanted.name or wanted.code) or _plain(wanted.name or "") == _plain(_NOWHERE):
        return True
    if stands is None:
        return False
    by_name = bool(wanted.name) and _plain(wanted.name or "") == _plain(stands.name or "")
    by_code = bool(wanted.code) and _plain(wanted.code or "").lstrip("0") == _plain(stands.code or "").lstrip("0")
    return by_name or by_code


def _is_near(circle: Circle, point: Point | None) -> bool:
    return point is not None and distance_km(circle.centre, point) <= circle.kilometres


def _speciality_fits(wanted: str, doctor: Doctor) -> bool:
    known = doctor.speciality
    return known is not None and _plain(wanted) in {_plain(known.code), _plain(known.name)}


def _words_fit(wanted: str, name: str) -> bool:
    words = [word for word in _WORD.findall(wanted.casefold()) if word not in _TITLES]
    parts = _WORD.findall(name.casefold())
    return bool(words) and all(any(word in part for part in parts) for word in words)


def _plain(text: str) -> str:
    return "".join(_WORD.findall(text.casefold())).replace("_", "")
