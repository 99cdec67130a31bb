"""The search filters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.ward import ASHA, DAY, FACILITY
from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.matching import distance_km, matches
from uhi.messages.values import Circle, Place, Point

POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (DoctorQuery(), True),
        (DoctorQuery(doctor="asha"), True),
        (DoctorQuery(doctor="Dr Verma, Asha"), True),
        (DoctorQuery(doctor="Dr."), False),
        (DoctorQuery(doctor="Asha Rao"), False),
        (DoctorQuery(hpr="ASHA.VERMA@hpr.ndhm"), True),
        (DoctorQuery(hpr="71-0000-0000-0001"), True),
        (DoctorQuery(hpr="71-0000"), False),
        (DoctorQuery(speciality="CARDIOLOGY"), True),
        (DoctorQuery(speciality="Cardiology "), True),
        (DoctorQuery(speciality="CARDIO"), False),
        (DoctorQuery(facility="medical centre"), True),
        (DoctorQuery(facility="Other"), False),
        (DoctorQuery(pincode="110 001"), True),
        (DoctorQuery(pincode="110002"), False),
        (DoctorQuery(fulfilment="Online"), False),
        (DoctorQuery(doctor="asha", speciality="CARDIOLOGY", facility="example", pincode="110001"), True),
        (DoctorQuery(doctor="asha", speciality="DERMATOLOGY"), False),
    ],
)
def test_filters_combine(query, fits):
    """UHI search first: name, HPR id, speciality, facility, pincode, type; all must fit."""
    assert matches(query, ASHA) is fits


@pytest.mark.parametrize(
    ("place", "fits"),
    [
        (Place(name="DELHI", code="999"), True),
        (Place(name="New Delhi", code="11"), True),
        (Place(name="Pune", code="490"), False),
        (Place(name="INDIA", code="+91"), True),
        (Place(), True),
    ],
)
def test_a_place_fits_by_name_or_by_code(place, fits):
    """UHI geo filter: code systems differ; INDIA +91 as district means unknown."""
    assert matches(DoctorQuery(city=place), ASHA) is fits


def test_a_facility_whose_place_is_unknown_does_not_fit_a_place():
    """Ours: every record of an answer fits the filter (TC-B01)."""
    assert not matches(DoctorQuery(district=Place(name="Pune")), ASHA)


@pytest.mark.parametrize(("kilometres", "fits"), [(5, True), (1, False)])
def test_a_circle_is_measured_along_the_globe(kilometres, fits):
    """UHI geo filter: gps and radius."""
    circle = Circle(Point(28.6, 77.22), kilometres)

    assert matches(DoctorQuery(near=circle), ASHA) is fits


def test_a_facility_without_a_position_is_in_no_circle():
    """Ours: unknown is not near."""
    nowhere = replace(ASHA, facility=replace(FACILITY, point=None))

    assert not matches(DoctorQuery(near=Circle(Point(28.6, 77.2), 50)), nowhere)


@pytest.mark.parametrize(("hours", "fits"), [(0, True), (2, False)])
def test_a_window_fits_what_overlaps_it(hours, fits):
    """UHI search first: start and end of the time searched in."""
    there = replace(ASHA, available=Window(DAY, DAY + timedelta(hours=2)))
    window = Window(DAY + timedelta(hours=hours), DAY + timedelta(hours=hours + 1))

    assert matches(DoctorQuery(window=window), there) is fits
    assert matches(DoctorQuery(window=window), ASHA)


@given(POINTS, POINTS)
def test_distances_are_those_of_a_globe(one, other):
    """Haversine: symmetric, none to itself, at most half the way round."""
    distance = distance_km(one, other)

    assert distance == pytest.approx(distance_km(other, one), abs=1e-6)
    assert distance_km(one, one) == 0
    assert 0 <= distance <= 20_016


def test_a_known_distance_is_met():
    """Delhi to Mumbai, 1,148 km by the great circle."""
    assert distance_km(Point(28.6139, 77.2090), Point(19.0760, 72.8777)) == pytest.approx(1_148, abs=2)
