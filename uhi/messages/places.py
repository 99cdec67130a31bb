"""Places: named areas, positions, addresses. Source: NHA Physical Consultation v2.0, geo filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uhi.messages.descriptor import Descriptor
from uhi.messages.wire import Text, Wire

_DEGREES = r"\s*([+-]?[0-9]{1,3}(?:\.[0-9]{0,30})?)\s*"
_GPS = re.compile(f"{_DEGREES},{_DEGREES}")
_DISTANCE = re.compile(r"[0-9]{1,5}(\.[0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class Point:
    """A position in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything within `kilometres` of a position."""

    centre: Point
    kilometres: float


class Place(Wire):
    """A city, district, state or country. Code systems differ between the services of UHI."""

    name: Text | None = None
    code: Text | None = None


class Radius(Wire):
    """A distance around a position."""

    type: Text | None = None
    value: Text | None = None
    unit: Text | None = None

    @property
    def kilometres(self) -> float | None:
        """The distance in kilometres; None unless type, value and unit are all there and the unit is `km`."""
        complete = self.type and self.unit and self.unit.lower() == "km" and _DISTANCE.fullmatch(self.value or "")
        return float(self.value or "") if complete else None


class Location(Wire):
    """Where something is, or where to look for it."""

    id: Text | None = None
    descriptor: Descriptor | None = None
    city: Place | None = None
    district: Place | None = None
    state: Place | None = None
    country: Place | None = None
    gps: Text | None = None
    address: Text | None = None
    radius: Radius | None = None

    @property
    def point(self) -> Point | None:
        """The position of `gps` ("lat,long", blanks allowed); None when it is absent, unreadable or off the globe."""
        found = _GPS.fullmatch(self.gps or "")
        if not found:
            return None
        latitude, longitude = float(found[1]), float(found[2])
        return Point(latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None

    @property
    def area(self) -> Circle | None:
        """The circle to search in; None unless position and radius are complete (an incomplete filter is ignored)."""
        point, kilometres = self.point, self.radius.kilometres if self.radius else None
        return Circle(point, kilometres) if point and kilometres is not None else None


class Address(Wire):
    """A postal address."""

    door: Text | None = None
    name: Text | None = None
    building: Text | None = None
    street: Text | None = None
    locality: Text | None = None
    ward: Text | None = None
    city: Text | None = None
    state: Text | None = None
    country: Text | None = None
    area_code: Text | None = None
