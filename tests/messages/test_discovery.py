"""Searches and catalogues: one bad provider is skipped, the rest is used."""

from __future__ import annotations

import pytest

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages import Catalog, Envelope, OnSearch, Search, SlotsFound
from uhi.messages.envelope import read
from uhi.messages.values import Circle, Location, Point, Provider
from uhi.messages.wire import Unreadable, dump, emit

CONTEXT = {"domain": "nic2004:85111", "action": "on_search", "message_id": "m1"}
GOOD = {"id": "1", "items": [{"id": "0", "price": {"value": "500.0"}, "fulfillment_id": "f1"}]}
BAD = [
    ({"id": "2", "items": [{"id": "0", "price": {"value": "-1"}}]}, "$.items[0].price.value"),
    ({"id": "3", "items": {}}, "$.items"),
    ({"fulfillments": [{"start": 5}]}, "$.fulfillments[0].start"),
    ("provider", "$"),
    (None, "$"),
]


@pytest.mark.parametrize("kind", [OnSearch, SlotsFound])
@pytest.mark.parametrize(("bad", "path"), BAD)
def test_one_bad_provider_is_skipped_and_the_rest_is_used(kind, bad, path):
    """Decision 8: not the catalogue is refused."""
    body = {"context": CONTEXT, "message": {"catalog": {"providers": [GOOD, bad, {**GOOD, "id": "9"}]}}}

    catalog = read(body, Envelope[kind]).message.catalog

    assert [provider.id for provider in catalog.readable] == ["1", "9"]
    assert [entry.path for entry in catalog.unreadable] == [path]


@pytest.mark.parametrize("bad", [bad for bad, _ in BAD])
def test_a_skipped_provider_survives(bad):
    """Decision 8: round trip is value for value, also of what we cannot read."""
    body = {"context": CONTEXT, "message": {"catalog": {"providers": [GOOD, bad]}}}

    envelope = read(body, Envelope[OnSearch])

    assert dump(envelope) == body
    assert emit(envelope) == body


def test_json_cannot_pose_as_a_skipped_provider():
    """Ours: members named like those of our own value are members of a provider."""
    catalog = OnSearch.model_validate({"catalog": {"providers": [{"raw": 1, "path": "$"}]}}).catalog

    assert [type(entry) for entry in catalog.providers] == [Provider]


def test_a_skipped_provider_can_be_put_into_another_catalogue():
    """Ours: a catalogue is put together from others without losing what we cannot read."""
    skipped = Unreadable({"items": {}}, "$.items")

    catalog = Catalog(providers=[Provider(id="1"), skipped])

    assert dump(catalog) == {"providers": [{"id": "1"}, {"items": {}}]}


@pytest.mark.parametrize("catalog", [{}, {"providers": None}, {"providers": []}])
def test_a_catalogue_may_be_empty(catalog):
    """UHI: a provider without a match sends no providers."""
    assert OnSearch.model_validate({"catalog": catalog}).catalog.readable == []


@pytest.mark.parametrize("providers", [{}, "x", 5])
def test_providers_are_a_list(providers):
    """UHI: the catalogue itself must have its form."""
    with pytest.raises(Refusal):
        read({"context": CONTEXT, "message": {"catalog": {"providers": providers}}}, Envelope[OnSearch])


def test_the_fee_of_a_slot_is_found():
    """UHI: an item names the fulfilment it prices."""
    provider = Provider.model_validate(GOOD)

    assert provider.item_for("f1").id == "0"
    assert provider.item_for("f2") is None
    assert Provider().item_for(None) is None


@pytest.mark.parametrize(
    "gps", ["12.5,77.25", "12.5, 77.25", " 12.5 ,77.25 ", "+12.50000000000000,77.2500000000000000", "12.5,077.25"]
)
def test_a_position_is_read_with_blanks_and_long_fractions(gps):
    """Irregularities: blanks after the comma, seventeen digits."""
    assert Location(gps=gps).point == Point(12.5, 77.25)


@pytest.mark.parametrize("gps", ["", None, "12.5", "12.5;77.2", "91,0", "0,181", "1e1,2", "nan,nan", "12.5,77.2,3"])
def test_what_is_no_position_is_none(gps):
    """Ours: off the globe or in words is no position."""
    assert Location(gps=gps).point is None


def test_a_geographical_filter_is_complete_or_ignored():
    """UHI: position, radius type, value and unit together, else the filter is ignored."""
    whole = {"gps": "12.5,77.25", "radius": {"type": "CONSTANT", "value": 5, "unit": "km"}}
    lacking = [{"gps": "12.5,77.25"}, {"radius": whole["radius"]}] + [
        {**whole, "radius": {**whole["radius"], name: ""}} for name in ("type", "value", "unit")
    ]

    assert Location.model_validate(whole).area == Circle(Point(12.5, 77.25), 5.0)
    assert [Location.model_validate(location).area for location in lacking] == [None] * 5


def test_a_search_keeps_filters_it_does_not_know():
    """Decision 8: a network may filter by what we have no name for."""
    value = {"intent": {"locations": [{"gps": "1,2"}], "payment": {"type": "FREE"}}}

    assert dump(Search.model_validate(value)) == value


def test_a_hundred_bad_providers_are_skipped():
    """Decision 8: one bad entry, or some, do not spoil a catalogue."""
    catalog = Catalog.model_validate({"providers": [*([1] * 100), *([GOOD] * 150)]})

    assert (len(catalog.unreadable), len(catalog.readable)) == (100, 150)


@pytest.mark.parametrize("providers", [[1] * 101, [GOOD] * 95 + [{"items": {}}] * 300, [GOOD, 1] * 101])
def test_a_catalogue_of_bad_providers_is_refused(providers):
    """Ours: reading is given up after a hundred faults, so that a hostile list costs no time."""
    with pytest.raises(Refusal) as refused:
        read({"context": CONTEXT, "message": {"catalog": {"providers": providers}}}, Envelope[OnSearch])

    assert (refused.value.fault, refused.value.path) == (MESSAGE_INVALID, "$.message.catalog.providers")
