"""What a patient's app may ask of searches, and how it becomes what is looked for.

Above: `routes`; below: `wanted`, `symptoms`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from participants.patient.search.sorting import Order
from participants.patient.search.symptoms import Advice, advice_for
from participants.patient.search.wanted import Wanted
from uhi.api.problems import refusal_of
from uhi.api.routes import Body
from uhi.booking.hospital import Window
from uhi.booking.intents import LONGEST_TEXT, LONGEST_WINDOW
from uhi.messages.values import IST, Place, Point

USUAL_DAYS = timedelta(days=7)
FURTHEST = timedelta(days=365)

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT, pattern=r"^[^\x00-\x1f\x7f]*$")
]
_NOTHING = Advice(())


class PlaceBody(Body):
    """A city, district or state: by name, by code, or both."""

    name: Words = ""
    code: Annotated[str, StringConstraints(max_length=20)] = ""


class NearBody(Body):
    """A position, in degrees. With `kilometres` hospitals are asked for that circle; without, results can be sorted by
    distance."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    kilometres: float | None = Field(default=None, gt=0, le=500)


class SearchBody(Body):
    """What is looked for; filters combine. `doctor` and `hospital` are names or parts of them, `hpr` an HPR address or
    number, `speciality` a code or a name, `symptom` a few words in place of it (English, or Hindi in Latin letters).
    `experience` is the least in years, `fee` the most in rupees; without days it is the next seven."""

    kind: Literal["Physical", "Online"] = "Physical"
    speciality: Words = ""
    symptom: Words = ""
    doctor: Words = ""
    hpr: Words = ""
    hospital: Words = ""
    language: Annotated[str, StringConstraints(max_length=40)] = ""
    gender: Literal["", "F", "M", "O"] = ""
    experience: float = Field(default=0, ge=0, le=80)
    fee: float | None = Field(default=None, ge=0, le=1_000_000)
    near: NearBody | None = None
    city: PlaceBody | None = None
    district: PlaceBody | None = None
    state: PlaceBody | None = None
    pincode: str = Field(default="", pattern="^([1-9][0-9]{5})?$")
    first_day: date | None = None
    last_day: date | None = None

    @model_validator(mode="after")
    def _one_way(self) -> SearchBody:
        if self.speciality and self.symptom:
            raise ValueError("give a speciality or a symptom, not both")
        return self


class PageQuery(Body):
    """In which order, and which page."""

    sort: Order = Order.RELEVANCE
    cursor: str = Field(default="", max_length=40)
    most: int = Field(default=20, ge=1, le=100)


class StreamQuery(Body):
    """After which event: where a header `Last-Event-ID` cannot be sent."""

    after: str = Field(default="", max_length=20, pattern="^[0-9]*$")


class SlotQuery(Body):
    """From which day to which, both included; the next 14 where they are left out, and never more at once."""

    since: date | None = Field(default=None, alias="from")
    until: date | None = Field(default=None, alias="to")


def wanted_of(asked: SearchBody, *, now: float) -> Wanted:
    """Return what a body looks for.

    Raises: Refusal(REQUEST_INVALID) for days that are over, in the wrong order, or too far away.
    """
    advice = advice_for(asked.symptom) if asked.symptom else _NOTHING
    near = asked.near
    return Wanted(
        window=_window(asked.first_day, asked.last_day, now=now, usual=USUAL_DAYS),
        kind=asked.kind,
        specialities=advice.specialities or ((asked.speciality,) if asked.speciality else ()),
        doctor=asked.doctor,
        hpr=asked.hpr,
        hospital=asked.hospital,
        language=asked.language,
        gender=asked.gender,
        experience=asked.experience,
        fee=None if asked.fee is None else Decimal(str(asked.fee)),
        position=Point(near.latitude, near.longitude) if near else None,
        kilometres=near.kilometres if near else None,
        city=_place(asked.city),
        district=_place(asked.district),
        state=_place(asked.state),
        pincode=asked.pincode,
        symptom_known=advice.known,
        urgent=advice.urgent,
    )


def slots_window(asked: SlotQuery, *, now: float) -> tuple[Window, date | None]:
    """Return the time to ask a hospital about, at most 14 days, and the day after it where more was asked for.

    Raises: Refusal(REQUEST_INVALID) as `wanted_of`.
    """
    whole = _window(asked.since, asked.until, now=now, usual=LONGEST_WINDOW)
    if whole.end - whole.start <= LONGEST_WINDOW:
        return whole, None
    # Whole days, so that the next page begins where this one ends.
    following = (whole.start + LONGEST_WINDOW).date()
    return Window(whole.start, _midnight(following)), following


def _window(first: date | None, last: date | None, *, now: float, usual: timedelta) -> Window:
    moment = datetime.fromtimestamp(now, IST)
    today, furthest = moment.date(), (moment + FURTHEST).date()
    first = first or today
    if not first <= (last or first) <= furthest or (last or first) < today:
        raise refusal_of(("", "is to be about days to come, at most a year ahead, the first before the last"))
    start = max(moment, _midnight(first))
    return Window(start, _midnight(last) + timedelta(days=1) if last else start + usual)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST)


def _place(asked: PlaceBody | None) -> Place | None:
    if asked is None or not (asked.name or asked.code):
        return None
    return Place(name=asked.name or None, code=asked.code or None)
