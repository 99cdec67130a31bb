"""Where a search looks: filters read, weighed and written."""

from __future__ import annotations

import pytest

from tests.listing.scene import PUNE, SHIVAJINAGAR, around
from uhi.booking.hospital import Facility
from uhi.listing import Area, Subject, read_area
from uhi.listing.areas import Reached, read_contact, write_area, write_contact, write_location
from uhi.messages import Intent
from uhi.messages.values import Address, Category, Descriptor, Fulfillment, Item, Location, Place, Radius
from uhi.verified import Thread

BANK = Facility(id="1", name="Civil Hospital", pincode="411005", point=SHIVAJINAGAR, district=PUNE)


@pytest.mark.parametrize(
    "area",
    [
        Area(),
        Area(pincode="411005"),
        Area(facility="Civil"),
        Area(near=around(SHIVAJINAGAR, 5), state=Place(name="MAHARASHTRA", code="27"), district=PUNE),
    ],
)
def test_an_area_that_was_written_is_read_again(area):
    """Ours: consumer and provider read the same filters."""
    assert read_area(write_area(Intent(), area)) == area


def test_a_circle_that_is_not_whole_is_no_filter():
    """NHA's documents, geo filter: gps, type, value and unit, or the filter is silently ignored."""
    area = read_area(Intent(location=Location(gps="18.5,73.8", radius=Radius(value="5", unit="km"))))

    assert area == Area()


def test_places_fit_by_name_or_by_code():
    """NHA's documents: code systems differ between the services; India as a district is unknown."""
    fitting = (Place(name="Pune", code="022"), Place(name="Poona", code="490"), Place(name="INDIA", code="+91"))

    assert all(Area(district=place).matcher(BANK) for place in fitting)
    assert not Area(district=Place(name="Nagpur", code="505")).matcher(BANK)


def test_a_number_in_place_of_a_pincode_is_read():
    """NHA's PM-JAY document: the pincode is a number there."""
    area = read_area(Intent(address=Address.model_validate({"area_code": 411005})))

    assert area.matcher(BANK)


def test_a_filter_longer_than_any_name_fits_nobody():
    """Ours: a hostile filter costs nothing."""
    assert read_area(Intent(address=Address(area_code="4" * 201))) is None


def test_distance_is_told_in_kilometres():
    """NHA's Jan Aushadhi example: CONSTANT, 1.19, km."""
    location = write_location(BANK, seen_from=around(SHIVAJINAGAR, 1).centre)

    assert (location.radius.type, location.radius.value, location.radius.unit) == ("CONSTANT", "0.00", "km")


def test_a_facility_that_cannot_be_reached_has_no_contact():
    """Ours: an empty object says nothing."""
    assert write_contact(Reached()) is None
    assert read_contact(None) == Reached()
    assert read_contact(write_contact(Reached("9000000001"))).phone == "9000000001"


@pytest.mark.parametrize(
    ("domain", "kind", "code", "concerns"),
    [
        ("nic2004:85112", "PMJAYHEM", "PMJAY", True),
        ("nic2004:85111", "PMJAYHEM", "PMJAY", False),
        ("nic2004:85112", "Physical", "PMJAY", False),
        ("nic2004:85112", "PMJAYHEM", "NOTTO", False),
        ("nic2004:85112", "PMJAYHEM", None, False),
        ("nic2004:85112", None, "PMJAY", False),
    ],
)
def test_a_wrong_domain_type_or_item_does_not_concern_a_list(domain, kind, code, concerns):
    """NHA's table of services: such a search gets an ACK and no answer at all."""
    subject = Subject("nic2004:85112", ("PMJAYHEM",), ("PMJAY",))
    intent = Intent(
        fulfillment=Fulfillment(type=kind),
        item=Item(descriptor=Descriptor(code=code)),
        category=Category(descriptor=Descriptor(code="1")),
    )

    assert subject.concerns(intent, Thread(domain, "t", "app.example")) is concerns
