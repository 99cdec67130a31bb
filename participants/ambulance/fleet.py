"""The lists of operators and ambulances, and which of them can come to a place.

An ambulance that is out is `available: no`, an operator that takes no calls is `paused: yes`; rows of a database are
read anew at every search. Above: `quoting`, `app`; below: `uhi.listing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from uhi.actions import Decline
from uhi.booking.matching import distance_km
from uhi.booking.speaker import moment
from uhi.faults import ANSWER_FAILED
from uhi.listing import Entry, Source, Subject, Table
from uhi.listing.ambulances import (
    CATEGORIES,
    NON_EMERGENCY,
    SUBJECT,
    Call,
    Operator,
    Vehicle,
    charges,
    read_call,
    write_operator,
)
from uhi.messages import Catalog, Intent
from uhi.messages.values import Descriptor, Point
from uhi.ports import Clock


@dataclass(frozen=True, slots=True)
class Stationed:
    """An ambulance, whose it is, and whether it is free to come."""

    operator_id: str
    vehicle: Vehicle
    is_free: bool

    def can_take(self, call: Call, source: Point) -> bool:
        """Whether it may be offered for a call from a place."""
        vehicle = self.vehicle
        is_right = call.category.upper() in {"", vehicle.kind} and (call.kind != NON_EMERGENCY or vehicle.takes_planned)
        return self.is_free and is_right and distance_km(vehicle.post, source) <= vehicle.reach_km


def _operator(entry: Entry) -> Operator:
    return Operator(
        id=entry.ref("id"),
        name=entry.text("name"),
        short_desc=entry.text("short_desc"),
        long_desc=entry.text("long_desc"),
        terms_url=entry.text("terms_url"),
        is_paused=entry.yes("paused"),
    )


def _stationed(entry: Entry) -> Stationed:
    post, base = entry.point(), entry.rupees("base_charge")
    earliest, latest = entry.whole("earliest_minutes"), entry.whole("latest_minutes")
    if post is None:
        entry.fail("gps", "this is no position", "latitude,longitude")
    if latest < earliest:
        entry.fail("latest_minutes", "this is before the earliest", "as many minutes or more")
    vehicle = Vehicle(
        id=entry.ref("id"),
        kind=entry.chosen("category", CATEGORIES),
        post=post,
        reach_km=entry.measure("reach_km"),
        earliest=timedelta(minutes=earliest),
        latest=timedelta(minutes=latest),
        quote=charges(base or Decimal(0), {"Consumables": entry.rupees("consumables") or Decimal(0)}),
        least=entry.rupees("minimum"),
        most=entry.rupees("maximum"),
        is_paid_before=entry.yes("paid_before"),
        takes_planned=entry.yes("takes_planned"),
        is_tracked=entry.yes("tracking"),
        additional_services=entry.text("additional_services"),
        deep_link=entry.text("deep_link"),
    )
    return Stationed(entry.ref("operator_id"), vehicle, entry.yes("available", default=True))


OPERATORS = Table("ambulance_operator", ("id", "name"), ("short_desc", "long_desc", "terms_url", "paused"), _operator)
VEHICLES = Table(
    "ambulance",
    ("id", "operator_id", "category", "gps", "reach_km", "earliest_minutes", "latest_minutes", "base_charge"),
    (
        *("consumables", "minimum", "maximum", "paid_before", "takes_planned", "tracking"),
        *("additional_services", "deep_link", "available"),
    ),
    _stationed,
    refers=(("operator_id", OPERATORS.name),),
)
LISTS = (OPERATORS.name, VEHICLES.name)


class Fleet:
    """Operators and their ambulances, as they are now."""

    def __init__(self, *, operators: Source[Operator], vehicles: Source[Stationed]) -> None:
        self._operators = operators
        self._vehicles = vehicles

    async def operators(self) -> Sequence[Operator]:
        """Return every operator."""
        return await self._operators.read()

    async def able(self, call: Call, source: Point) -> dict[str, list[Vehicle]]:
        """Return the ambulances that can take a call, by operator; who has what was asked for stands first, then who
        is there first."""
        wanted = {word.casefold() for word in call.additional_services.replace(",", " ").split()}
        found: dict[str, list[Vehicle]] = {}
        fitting = [one for one in await self._vehicles.read() if one.can_take(call, source)]
        for one in sorted(fitting, key=lambda each: (-_carried(each.vehicle, wanted), each.vehicle.latest)):
            found.setdefault(one.operator_id, []).append(one.vehicle)
        return found


class FleetListing:
    """`uhi.listing.Listing`: the ambulances that can come; silence where none serves the place."""

    def __init__(self, heading: Descriptor, *, fleet: Fleet, clock: Clock) -> None:
        self._heading = heading
        self._fleet = fleet
        self._clock = clock

    @property
    def subject(self) -> Subject:
        """Which searches concern it."""
        return SUBJECT

    async def find(self, intent: Intent) -> Catalog | Decline | None:
        """Return who can come; that calls are paused, where nobody takes any; no without the places a call needs."""
        call = read_call(intent)
        if call.source is None:
            return Decline(ANSWER_FAILED, "message.intent.locations has no SOURCE with a position.")
        if call.kind == NON_EMERGENCY and call.destination is None:
            return Decline(ANSWER_FAILED, "message.intent.locations has no DESTINATION with a position.")
        working = [operator for operator in await self._fleet.operators() if not operator.is_paused]
        if not working:
            return Catalog(descriptor=self._flagged(is_paused=True), providers=[])
        able, now = await self._fleet.able(call, call.source), moment(self._clock)
        providers = [
            write_operator(operator, able[operator.id], kind=call.kind, now=now)
            for operator in working
            if operator.id in able
        ]
        return Catalog(descriptor=self._flagged(is_paused=False), providers=[*providers]) if providers else None

    def _flagged(self, *, is_paused: bool) -> Descriptor:
        return self._heading.model_copy(update={"flag": is_paused})


def _carried(vehicle: Vehicle, wanted: set[str]) -> int:
    return len(wanted & set(vehicle.additional_services.casefold().replace(",", " ").split()))
