"""Orders as a provider's people look at them, and who has which time, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.booking.shelf import PROVIDER, SqlShelf
from tests.booking.test_store import NOW, UNTIL, an_order
from tests.booking.ward import ASHA, DAY, slot
from uhi.booking.agenda import Agenda, OrderFilter
from uhi.booking.claims import Claim, claims_within
from uhi.booking.hospital import Window
from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.states import OrderState
from uhi.booking.store import Step
from uhi.errors import Refusal

BRAM = replace(ASHA, id="bram@hpr.ndhm", facility=replace(ASHA.facility, id="2"))


@pytest.fixture
async def store(sql_shelf: SqlShelf) -> SqlBookings:
    """Orders of two doctors in two places: held, booked, called off."""
    store = sql_shelf.store()
    states = (OrderState.HELD, OrderState.CONFIRMED, OrderState.CANCELLED)
    for number, state in enumerate(states):
        for doctor in (ASHA, BRAM):
            one = replace(slot(number, doctor=doctor), id=f"{doctor.id[0]}{number}")
            await store.put(an_order(one.id, one, state=state), Step(NOW, "desk"))
    await sql_shelf.store(provider_id="other.example").put(an_order("foreign", slot(1)), Step(NOW, "desk"))
    return store


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OrderFilter(), "a0 b0 a1 b1 a2 b2"),
        (OrderFilter(practitioner_ids=[BRAM.id]), "b0 b1 b2"),
        (OrderFilter(facility_ids=["1"], states={OrderState.HELD, OrderState.CONFIRMED}), "a0 a1"),
        (OrderFilter(practitioner_ids=[ASHA.id, "nobody"]), "a0 a1 a2"),
        (OrderFilter(facility_ids=[]), ""),
        (OrderFilter(since=slot(1).start, until=slot(2).start), "a1 b1"),
    ],
)
async def test_orders_are_listed_by_doctor_place_state_and_day(store, wanted, found):
    """Issue: lists are projections; by the start of the slot, nothing of another provider."""
    page = await Agenda(store._storage, PROVIDER).page(wanted)

    assert " ".join(order.id for order in page.orders) == found
    assert page.next == ""


async def test_pages_follow_one_another_without_a_gap(store):
    """Ours: a cursor, so that a page is found whatever comes and goes before it."""
    agenda, after, found = Agenda(store._storage, PROVIDER), "", []
    for _ in range(3):
        page = await agenda.page(OrderFilter(most=2, after=after))
        found.append([order.id for order in page.orders])
        after = page.next
        assert quote(after, safe="~") == after

    assert found == [["a0", "b0"], ["a1", "b1"], ["a2", "b2"]]
    assert after == ""


@pytest.mark.parametrize("after", ["x", "nan~a0", "inf~a0", "1e999~a0", "1790000000.0~a\x00", "~"])
async def test_a_place_that_no_page_gave_is_refused(after, store):
    """Ours: a database compares neither what is no number nor what does not print."""
    with pytest.raises(Refusal, match="no page gave this place"):
        await Agenda(store._storage, PROVIDER).page(OrderFilter(after=after))


async def test_an_order_and_its_history_are_found_by_its_id(store):
    """Issue: the stream is the audit trail; another provider's is as missing as none."""
    own, other = (SqlBookings(store._storage, provider_id=each) for each in (PROVIDER, "other.example"))

    events = await own.history("a1")

    assert [(event.version, event.kind.value, event.by, event.at) for event in events] == [
        (1, "HELD", "desk", NOW),
        (2, "CONFIRMED", "desk", NOW),
    ]
    assert (await own.get("a1")).state is OrderState.CONFIRMED
    assert (await other.get("a1"), list(await other.history("a1"))) == (None, [])


@pytest.mark.parametrize(
    ("hours", "now", "found"),
    [((0, 1), NOW, "a0 a1"), ((0, 1), UNTIL, "a1"), ((-9, 0), NOW, ""), ((0.5, 1), NOW, "a1"), ((1, 2), NOW, "")],
)
async def test_claims_are_what_is_held_or_booked_in_a_window(sql_shelf, store, hours, now, found):
    """Reliability, slots: a hold that is over is free, whoever swept when; times that only touch are no overlap."""
    window = Window(*(DAY + timedelta(hours=each) for each in hours))

    claims = await sql_shelf.database.read(
        lambda connection: claims_within(
            connection, provider_id=PROVIDER, practitioner_ids=[ASHA.id], window=window, now=now.timestamp()
        )
    )

    assert " ".join(claim.slot_id for claim in claims) == found


async def test_a_claim_tells_what_it_is(sql_shelf, store):
    """Ours: what a schedule needs to leave a time out."""
    window = Window(slot(1).start, slot(1).end)

    claims = await sql_shelf.database.read(
        lambda connection: claims_within(
            connection, provider_id=PROVIDER, practitioner_ids=[BRAM.id], window=window, now=NOW.timestamp()
        )
    )

    times = (window.start.timestamp(), window.end.timestamp())
    assert claims == [Claim(BRAM.id, "b1", 0, *times, "b1", True, UNTIL.timestamp())]
