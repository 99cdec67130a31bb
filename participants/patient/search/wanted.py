"""What a patient looks for: the part that the network has words for, and the part that is looked at here.

Pure. On the wire go doctor, HPR id, one speciality, facility, place, pincode, circle and time; language, gender,
experience, fee, symptom and a position without a radius stay here. Source: NHA Physical Consultation v2.0, search.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from hashlib import sha256

from pydantic import TypeAdapter

from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.plain_json import plain, read_value, write_value
from uhi.messages.values import PHYSICAL, Circle, Place, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters of a search; an empty one does not restrict. All of it may tell of somebody's health.

    `specialities` are those one of which is enough, first the one to be shown first; `experience` is in years, `fee`
    the most rupees.
    """

    window: Window
    kind: str = PHYSICAL
    specialities: tuple[str, ...] = field(default=(), repr=False)
    doctor: str = field(default="", repr=False)
    hpr: str = field(default="", repr=False)
    hospital: str = field(default="", repr=False)
    language: str = ""
    gender: str = ""
    experience: float = 0.0
    fee: Decimal | None = None
    position: Point | None = field(default=None, repr=False)
    kilometres: float | None = None
    city: Place | None = field(default=None, repr=False)
    district: Place | None = field(default=None, repr=False)
    state: Place | None = field(default=None, repr=False)
    pincode: str = field(default="", repr=False)
    symptom_known: bool = True
    urgent: bool = False

    @property
    def circle(self) -> Circle | None:
        """Where to look; None unless there are both a position and a distance."""
        if self.position is None or self.kilometres is None:
            return None
        return Circle(self.position, self.kilometres)


def query_of(wanted: Wanted) -> DoctorQuery:
    """Return what goes out. Of several specialities none does: one search, and the answers are looked through here."""
    only = wanted.specialities[0] if len(wanted.specialities) == 1 else ""
    return DoctorQuery(
        doctor=wanted.doctor,
        hpr=wanted.hpr,
        speciality=only,
        facility=wanted.hospital,
        city=wanted.city,
        district=wanted.district,
        state=wanted.state,
        pincode=wanted.pincode,
        near=wanted.circle,
        fulfilment=wanted.kind,
        window=wanted.window,
    )


def key_of(wanted: Wanted, account_id: str, *, domain: str) -> str:
    """Return what two searches have in common that may share what was found.

    It is about what goes out, its time by days. Where somebody is and which doctor they look for by name is theirs
    alone, so such a search shares with the same account's only.
    """
    query = query_of(wanted)
    asked = {name: _folded(value) for name, value in _members(query).items() if name != "window"}
    asked["days"] = [wanted.window.start.date().isoformat(), wanted.window.end.date().isoformat()]
    asked["domain"] = domain
    asked["account"] = account_id if query.near or query.doctor or query.hpr else ""
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def write_wanted(wanted: Wanted) -> bytes:
    """Return its JSON: seal it."""
    return write_value(wanted)


def read_wanted(text: bytes) -> Wanted:
    """Return what was written.

    Raises: SetupError for what `write_wanted` did not write.
    """
    return read_value(_adapter(), text, what="search")


def _members(query: DoctorQuery) -> dict[str, object]:
    members = plain(query)
    return members if isinstance(members, dict) else {}


def _folded(value: object) -> object:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


@cache
def _adapter() -> TypeAdapter[Wanted]:
    return TypeAdapter(Wanted)
