"""Where to look: the geo filters that every list of UHI knows, read from a search, weighed, written into one.

Pure. Codes of places differ between the services of UHI, so a place fits by name or by code; an incomplete circle is no
filter. Source: NHA's documents of the services, geo filter.
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.booking.hospital import DoctorQuery, Facility
from uhi.booking.intents import LONGEST_TEXT, write_point
from uhi.booking.matching import FacilityFits, distance_km, facility_matcher
from uhi.messages import Intent
from uhi.messages.values import Address, Circle, Contact, Descriptor, Location, Place, Point, Provider, Radius, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Filters that combine; an empty one does not restrict. `facility` is a name or a part of it."""

    near: Circle | None = None
    city: Place | None = None
    district: Place | None = None
    state: Place | None = None
    pincode: str = ""
    facility: str = ""

    @property
    def matcher(self) -> FacilityFits:
        """What tells whether a facility is in the area and has the name; read once, used for many."""
        return facility_matcher(
            DoctorQuery(
                facility=self.facility,
                city=self.city,
                district=self.district,
                state=self.state,
                pincode=self.pincode,
                near=self.near,
            )
        )


ANYWHERE = Area()


def read_area(intent: Intent) -> Area | None:
    """Return where a search looks; None when a filter is longer than any name, and fits nobody."""
    location, address = intent.location, intent.address
    named = intent.provider.descriptor if intent.provider else None
    area = Area(
        near=location.area if location else None,
        city=location.city if location else None,
        district=location.district if location else None,
        state=location.state if location else None,
        pincode=(address.area_code if address else None) or "",
        facility=(named.name if named else None) or "",
    )
    places = (area.city, area.district, area.state)
    texts = [area.pincode, area.facility, *(text or "" for each in places if each for text in (each.name, each.code))]
    return area if all(len(text) <= LONGEST_TEXT for text in texts) else None


def write_area(intent: Intent, area: Area) -> Intent:
    """Return a search that looks in an area."""
    near = area.near
    location = Location(
        city=area.city,
        district=area.district,
        state=area.state,
        gps=write_point(near.centre) if near else None,
        radius=Radius(type="CONSTANT", value=f"{near.kilometres:g}", unit="km") if near else None,
    )
    return intent.model_copy(
        update={
            "location": location if area != Area(pincode=area.pincode, facility=area.facility) else None,
            "address": Address(area_code=area.pincode) if area.pincode else None,
            "provider": Provider(descriptor=Descriptor(name=area.facility)) if area.facility else None,
        }
    )


def write_location(facility: Facility, *, seen_from: Point | None = None) -> Location:
    """Return where a facility is, with how far away that is from where the search was made, if it told."""
    away = distance_km(seen_from, facility.point) if seen_from and facility.point else None
    return Location(
        id="1",
        descriptor=Descriptor(name=facility.name),
        city=facility.city,
        district=facility.district,
        state=facility.state,
        country=Place(name="INDIA", code="+91"),
        gps=write_point(facility.point) if facility.point else None,
        address=facility.address or None,
        radius=Radius(type="CONSTANT", value=f"{away:.2f}", unit="km") if away is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Reached:
    """How to reach a facility."""

    phone: str = ""
    email: str = ""


def write_contact(reached: Reached, tags: Tags | None = None) -> Contact | None:
    """Return how to reach a facility; None where nothing is known."""
    if not (reached.phone or reached.email or tags):
        return None
    return Contact(phone=reached.phone or None, email=reached.email or None, tags=tags or None)


def read_contact(contact: Contact | None) -> Reached:
    """Return how to reach a facility, as far as it tells."""
    return Reached((contact.phone if contact else None) or "", (contact.email if contact else None) or "")
