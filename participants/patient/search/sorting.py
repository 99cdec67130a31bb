"""The orders in which a patient may have doctors shown. What a doctor does not tell comes last.

Pure. Below: `merging`, `fitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from math import inf

from participants.patient.search.fitting import distance_of, rank_of, years_of
from participants.patient.search.merging import Entry
from participants.patient.search.wanted import Wanted
from uhi.booking.hospital import Doctor


class Order(Enum):
    """What comes first: what fits best, costs least, is nearest, has practised longest, has time soonest."""

    RELEVANCE = "relevance"
    FEE = "fee"
    DISTANCE = "distance"
    EXPERIENCE = "experience"
    EARLIEST = "earliest"


Key = tuple[object, ...]


def in_order(entries: Iterable[Entry], order: Order, wanted: Wanted) -> list[Entry]:
    """Return the entries in an order in which no two are equal, so that pages do not overlap."""
    key = _KEYS[order]
    return sorted(entries, key=lambda entry: (*key(entry, wanted), *_relevance(entry, wanted), entry.id))


def _relevance(entry: Entry, wanted: Wanted) -> Key:
    doctor = entry.doctor
    return (
        rank_of(wanted, doctor),
        entry.offers[0].by.cached,
        _starts(doctor),
        _distance(entry, wanted),
        -_years(doctor),
        doctor.price,
    )


def _starts(doctor: Doctor) -> float:
    return doctor.available.start.timestamp() if doctor.available else inf


def _years(doctor: Doctor) -> float:
    return years_of(doctor) or 0.0


def _distance(entry: Entry, wanted: Wanted) -> float:
    distance = distance_of(wanted, entry.doctor)
    return inf if distance is None else distance


_KEYS: dict[Order, Callable[[Entry, Wanted], Key]] = {
    Order.RELEVANCE: lambda entry, wanted: (),
    Order.FEE: lambda entry, wanted: (entry.doctor.price,),
    Order.DISTANCE: lambda entry, wanted: (_distance(entry, wanted),),
    Order.EXPERIENCE: lambda entry, wanted: (-_years(entry.doctor),),
    Order.EARLIEST: lambda entry, wanted: (_starts(entry.doctor),),
}
