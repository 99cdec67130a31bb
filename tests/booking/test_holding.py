"""Init and confirm, at the desk of a hospital."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.booking.ward import ASHA, DAY, FACILITY, MEENA, RAVI, REGISTERED, THREAD, Front, found, slot
from uhi.actions import Decline
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Appointment, Hold, Slot
from uhi.booking.offers import write_init
from uhi.booking.policy import Policy
from uhi.booking.quotes import consultation_quote
from uhi.booking.releasing import PATIENCE
from uhi.booking.states import OrderState
from uhi.booking.terms import default_terms
from uhi.faults import ORDER_UNKNOWN, PAYMENT_UNSUPPORTED, QUOTE_UNAVAILABLE, SLOT_UNAVAILABLE
from uhi.messages import Init, OnConfirm, OnInit
from uhi.messages.values import Customer, Item, Payment, Quotation, rupees

QUARTER = 15 * 60
SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
OTHERS = replace(THREAD, consumer_id="other.example")


def outcome(answer: object) -> str:
    return answer.outcome.code if isinstance(answer, Decline) else "taken"


@pytest.mark.case("BK-02")
async def test_of_two_inits_for_one_slot_one_is_held(front):
    """Reliability, slots: two people cannot get one slot."""
    answers = await asyncio.gather(front.init(slot(0), RAVI), front.init(slot(0), MEENA, OTHERS))

    assert sorted(outcome(answer) for answer in answers) == ["40002", "taken"]


async def test_an_overlapping_slot_under_another_id_is_declined_and_given_back(front):
    """Reliability, slots: the store knows what the hospital overlooked."""
    twin = replace(slot(0), id="twin")
    front.ward.offer(twin)
    await front.offered(slot(0))

    answer = await front.init(twin, MEENA)

    assert outcome(answer) == "40002"
    assert "twin" not in front.ward.taken


async def test_the_same_init_again_returns_the_hold_without_more_time(front):
    """UHI slots and hold: same patient, transaction and slot."""
    first = await front.offered(slot(0))
    await front.clock.advance(600)

    again = await front.offered(slot(0))

    assert again.order_id == first.order_id
    assert again.received == first.received
    await front.clock.advance(QUARTER - 600)
    assert outcome(await front.init(slot(0), MEENA)) == "taken"


@pytest.mark.parametrize("thread", [replace(THREAD, transaction_id="t-2"), OTHERS])
async def test_the_same_patient_from_elsewhere_does_not_get_the_hold(front, thread):
    """Ours: another conversation is another asker; ids of one consumer mean nothing to another."""
    await front.offered(slot(0))

    assert outcome(await front.init(slot(0), RAVI, thread)) == "40002"


@pytest.mark.parametrize("thread", [replace(THREAD, transaction_id="t-2"), OTHERS])
@pytest.mark.parametrize("change", [{}, {"payment": Payment(type="PRE-ORDER")}])
async def test_an_init_from_elsewhere_takes_nothing_from_the_hold_there_is(front, thread, change):
    """The Hospital protocol: the same patient gets the hold there is, so giving it back would rob the first order."""
    offer = await front.offered(slot(0))
    order = write_init(found(slot(0)), RAVI).model_copy(update=change)

    await front.holding.init(order, thread)

    assert front.ward.released == []
    assert outcome(await front.confirm(offer)) == "taken"


@pytest.mark.parametrize(("seconds", "freed"), [(QUARTER - 1, []), (QUARTER, ["hold-1"])])
async def test_a_hold_is_released_at_fifteen_minutes_exactly(front, seconds, freed):
    """UHI slots and hold: no confirm, released."""
    offer = await front.offered(slot(0))
    await front.clock.advance(seconds)

    await front.holding.release_lapsed()
    await front.holding.release_lapsed()

    assert front.ward.released == freed
    assert ((await front.store.get(offer.order_id)).state is OrderState.EXPIRED) is bool(freed)


@pytest.mark.parametrize(("seconds", "told"), [(-1, "taken"), (0, "40002")])
async def test_a_hold_ends_when_its_slot_begins(front, seconds, told):
    """Decision 34: after the hold a slot is booked if it is still free; one that has begun is free to nobody."""
    start = slot(0).start.timestamp()
    await front.clock.advance(start - 300 - front.clock.now())
    offer = await front.offered(slot(0))
    await front.clock.advance(300 + seconds)

    assert outcome(await front.confirm(offer)) == told


async def test_a_patient_holds_two_slots_and_no_third(front):
    """Reliability, hold limits: at most 2 live ones per patient; the answer tells no numbers."""
    await front.offered(slot(0))
    await front.offered(slot(1))

    assert await front.init(slot(2)) == Decline(SLOT_UNAVAILABLE)
    assert outcome(await front.init(slot(2), MEENA)) == "taken"


async def test_a_consumer_cannot_use_up_what_a_patient_may_hold_through_another(front):
    """Security T29: holds made in somebody's name elsewhere lock nobody out."""
    await front.offered(slot(0), RAVI, OTHERS)
    await front.offered(slot(1), RAVI, OTHERS)

    assert outcome(await front.init(slot(2), RAVI)) == "taken"


async def test_a_consumer_cannot_race_past_its_limit():
    """Security T29: for many patients at once."""
    front = Front(policy=Policy(holds=HoldLimits(per_consumer=3)))
    front.ward.offer(*(slot(number) for number in range(8)))

    answers = await asyncio.gather(*(front.init(slot(n), replace(RAVI, id=f"p{n}@sbx")) for n in range(8)))

    assert sorted(outcome(answer) for answer in answers) == ["40002"] * 5 + ["taken"] * 3


async def test_a_release_that_hangs_stops_nobody(front, caplog):
    """The Hospital protocol: a lapsed hold is free by itself, whatever becomes of its release."""
    lapsed = await front.offered(slot(0), MEENA)
    await front.clock.advance(QUARTER)
    front.ward.release = lambda hold: asyncio.Event().wait()
    sweep = asyncio.ensure_future(front.holding.release_lapsed())
    await front.clock.advance(1)

    others = [await front.init(slot(0), RAVI), await front.init(slot(1), RAVI)]
    late = await front.confirm(lapsed)
    await front.clock.advance(PATIENCE)
    await sweep

    assert [outcome(answer) for answer in (*others, late)] == ["taken", "taken", "40002"]
    assert "TimeoutError" in caplog.text


async def test_a_release_that_fails_stops_no_other(front, caplog):
    """Ours: logged by its kind, the others are given back."""
    await front.offered(slot(0), MEENA)
    await front.offered(slot(1), RAVI)
    await front.clock.advance(QUARTER)
    release = front.ward.release

    async def fails_for_one(hold: Hold) -> None:
        if hold.id == "hold-1":
            raise ConnectionError
        await release(hold)

    front.ward.release = fails_for_one
    await front.holding.release_lapsed()

    assert front.ward.released == ["hold-2"]
    assert "ConnectionError" in caplog.text


async def test_a_lapsed_order_is_expired_when_another_takes_its_slot(front):
    """UHI slots and hold: part of the claim, whether a sweep came by or not."""
    lapsed = await front.offered(slot(0), MEENA)
    await front.clock.advance(QUARTER)

    await front.offered(slot(0), RAVI)

    assert (await front.store.get(lapsed.order_id)).state is OrderState.EXPIRED


@pytest.mark.parametrize("later", [0, QUARTER])
async def test_a_booking_that_could_not_be_kept_is_kept_by_the_next_confirm(front, monkeypatch, later):
    """The Hospital protocol: the same hold again is the same appointment, within the hold or after it."""
    offer = await front.offered(slot(0))
    put = front.store.put

    async def fails(order, step):
        if order.state is OrderState.CONFIRMED:
            raise ConnectionError
        await put(order, step)

    monkeypatch.setattr(front.store, "put", fails)
    with pytest.raises(ConnectionError):
        await front.confirm(offer)
    monkeypatch.undo()
    await front.clock.advance(later)
    answer = await front.confirm(offer)

    assert answer.order.state == "CONFIRMED"
    assert list(front.ward.booked) == ["hold-1"]


async def test_a_hold_that_can_neither_be_kept_nor_given_back_is_the_same_patients_again(front, monkeypatch, caplog):
    """The Hospital protocol: it is logged by its kind, and who asks again gets the hold there is."""

    async def fails(*given, **named):
        raise ConnectionError

    monkeypatch.setattr(front.store, "put", fails)
    monkeypatch.setattr(front.ward, "release", fails)
    with pytest.raises(ConnectionError):
        await front.init(slot(0))
    monkeypatch.undo()

    assert outcome(await front.init(slot(0), MEENA)) == "40002"
    assert outcome(await front.init(slot(0))) == "taken"
    assert "a hold that no order has was not given back: ConnectionError" in caplog.text


async def test_a_patient_cannot_race_past_the_limit(front):
    """Reliability, hold limits: three at once are two."""
    answers = await asyncio.gather(*(front.init(slot(number)) for number in range(3)))

    assert sorted(outcome(answer) for answer in answers) == ["40002", "taken", "taken"]


async def test_a_consumer_that_holds_too_much_is_declined():
    """Security T29, hold exhaustion: a cap per consumer where it is set."""
    front = Front(policy=Policy(holds=HoldLimits(per_consumer=5)))
    front.ward.offer(*(slot(number) for number in range(8)))
    patients = [replace(RAVI, id=f"patient-{number}@sbx") for number in range(8)]

    answers = [await front.init(slot(number), patient) for number, patient in enumerate(patients)]

    assert [outcome(answer) for answer in answers] == ["taken"] * 5 + ["40002"] * 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"payment": Payment(type="PRE-ORDER")}, PAYMENT_UNSUPPORTED),
        ({"item": Item(id="slot-0", price=rupees(Decimal(1)))}, QUOTE_UNAVAILABLE),
        ({"item": Item(id="slot-0", fulfillment_id="slot-1")}, SLOT_UNAVAILABLE),
    ],
)
async def test_an_init_that_does_not_fit_holds_nothing(front, change, expected):
    """Decision 10: an outcome in on_init's error."""
    order = write_init(found(slot(0)), RAVI).model_copy(update=change)

    answer = await front.holding.init(order, THREAD)

    assert answer.outcome is expected
    assert front.ward.taken == {}


@pytest.mark.case("BK-09")
@pytest.mark.parametrize("days", [-3, 700])
async def test_a_slot_in_the_past_or_years_ahead_is_declined(front, days):
    """Reliability, times: 40002."""
    odd = replace(slot(7), start=DAY.replace(year=2026 + days // 365), end=DAY.replace(year=2029))
    front.ward.offer(odd)

    assert outcome(await front.init(odd)) == "40002"
    assert front.ward.taken == {}


async def test_an_unknown_slot_and_an_unwanted_kind_are_declined(front):
    """Decision 38: teleconsultation is off unless the policy opens it."""
    online = replace(slot(6), id="online", fulfilment="Online")
    front.ward.offer(online)

    assert outcome(await front.init(slot(99))) == "40002"
    assert outcome(await front.init(online)) == "40002"


async def test_an_init_without_a_patient_is_declined(front):
    """UHI init: order.customer.id is required."""
    order = write_init(found(slot(0)), RAVI).model_copy(update={"customer": Customer()})

    assert outcome(await front.holding.init(order, THREAD)) == "23001"


async def test_order_ids_are_long_and_alphanumeric(front):
    """Ours: 128 bits of randomness; alphanumeric as the onboarding document recommends."""
    ids = {(await front.offered(slot(0))).order_id, (await front.offered(slot(1))).order_id}

    assert len(ids) == 2
    assert all(len(order_id) == 32 and order_id.isalnum() for order_id in ids)


async def test_a_held_slot_is_confirmed_with_a_pin(front):
    """UHI confirm: CONFIRMED, PIN GENERATED, terms AGREED."""
    order = await front.booked(slot(0))

    assert order.state == "CONFIRMED"
    assert (len(order.authorization.pin), order.authorization.state) == (4, "GENERATED")
    assert all(term.is_agreed for term in order.terms)
    assert front.ward.taken["slot-0"].id == "appointment-slot-0"


async def test_the_same_confirm_a_hundred_times_books_once(front):
    """Decision 35: same order, same state, same PIN."""
    offer = await front.offered(slot(0))

    answers = await asyncio.gather(*(front.confirm(offer) for _ in range(100)))

    assert {answer.order.authorization.token for answer in answers} == {answers[0].order.authorization.token}
    assert {(answer.order.id, answer.order.state) for answer in answers} == {(offer.order_id, "CONFIRMED")}
    assert front.ward.count == 1


@pytest.mark.case("BK-06")
@pytest.mark.parametrize(
    "change",
    [
        {"item": Item(id="slot-0", fulfillment_id="slot-0", price=rupees(Decimal("499.99")))},
        {"item": Item(id="other", fulfillment_id="slot-0")},
        {"item": Item(id="slot-1", fulfillment_id="slot-1")},
        {"quote": Quotation(price=rupees(Decimal(400)))},
        {"quote": None, "item": Item(id="slot-0", fulfillment_id="slot-0"), "payment": None},
        {"customer": Customer(id=MEENA.id)},
        {"terms": default_terms(slot(0))},
        {"terms": []},
        {"fulfillment": None},
    ],
)
async def test_a_confirm_that_is_not_of_the_offer_books_nothing_and_keeps_the_hold(front, change):
    """Decision 10: on_confirm 40003; the right confirm may still follow."""
    offer = await front.offered(slot(0))

    answer = await front.confirm(offer, **change)

    assert outcome(answer) == "40003"
    assert answer.message is None
    assert outcome(await front.confirm(offer)) == "taken"


@pytest.mark.parametrize("payment", [Payment(type="PRE-ORDER"), Payment(type="ON-ORDER", status="PAID")])
async def test_a_confirm_that_claims_to_be_paid_is_declined(front, payment):
    """UHI payment: not before the visit; never believed from a confirm."""
    offer = await front.offered(slot(0))

    assert outcome(await front.confirm(offer, payment=payment)) == "40004"


async def test_order_id_that_a_consumer_made_up_in_its_init_is_no_order(front):
    """UHI init: `order.id` is the provider's to give; what came with an init is ignored, and opens nothing."""
    asked = write_init(found(slot(0)), RAVI).model_copy(update={"id": "APP-1"})
    answer = await front.holding.init(asked, THREAD)
    offer = await front.offered(slot(0))

    assert isinstance(answer, OnInit)
    assert answer.order.id == offer.order_id != "APP-1"
    assert await front.confirm(replace(offer, order_id="APP-1")) == Decline(ORDER_UNKNOWN)


async def test_another_consumers_order_is_as_unknown_as_none(front):
    """Security: foreign ids tell nothing."""
    offer = await front.offered(slot(0))
    foreign = replace(offer, thread=OTHERS)
    made_up = replace(offer, order_id="0" * 32)

    answers = [await front.confirm(foreign), await front.confirm(made_up)]

    assert answers == [Decline(ORDER_UNKNOWN), Decline(ORDER_UNKNOWN)]


@pytest.mark.case("BK-03")
@pytest.mark.parametrize(("seconds", "taken"), [(QUARTER - 1, False), (QUARTER + 1, False), (QUARTER + 1, True)])
async def test_a_confirm_after_the_hold_books_what_is_still_free(front, seconds, taken):
    """Decision 34: before and after, free: CONFIRMED; taken: FAILED, 40002."""
    offer = await front.offered(slot(0))
    await front.clock.advance(seconds)
    if taken:
        await front.booked(slot(0), MEENA)

    answer = await front.confirm(offer)

    order = answer.message.order if isinstance(answer, Decline) else answer.order
    assert outcome(answer) == ("40002" if taken else "taken")
    assert (order.id, order.state) == (offer.order_id, "FAILED" if taken else "CONFIRMED")
    assert (order.authorization is None) is taken
    assert await front.confirm(offer) == answer


async def test_a_confirm_after_the_hold_at_another_price_fails_and_frees_the_slot(front):
    """Decision 34: the same price, or not at all."""
    offer = await front.offered(slot(0))
    await front.clock.advance(QUARTER)
    front.ward.slots["slot-0"] = replace(slot(0), quote=consultation_quote(Decimal(900)))

    assert outcome(await front.confirm(offer)) == "40002"
    assert front.ward.taken == {}


async def test_a_confirm_after_the_visit_would_have_begun_fails(front):
    """Ours: what is past cannot be booked."""
    offer = await front.offered(slot(0))
    await front.clock.advance(3 * 86_400)

    assert outcome(await front.confirm(offer)) == "40002"


async def test_a_hold_that_the_hospital_lost_fails(front):
    """Ours: the hospital has the last word on its slots."""
    offer = await front.offered(slot(0))
    front.ward.taken.clear()

    assert outcome(await front.confirm(offer)) == "40002"


async def test_a_slot_that_another_order_took_while_the_hospital_was_booking_fails(front):
    """Ours: the hold ended during book(); the store has the last word, and the hospital is told."""
    twin = replace(slot(0), id="twin")
    front.ward.offer(twin)
    offer = await front.offered(slot(0))
    book = front.ward.book

    async def slowly(hold: Hold) -> Appointment:
        front.ward.book = book
        await front.clock.advance(QUARTER)
        await front.booked(twin, MEENA)
        return await book(hold)

    front.ward.book = slowly

    assert outcome(await front.confirm(offer)) == "40002"
    assert front.ward.called_off == [("appointment-slot-0", "doctor", "TECHNICAL_SYSTEM_ISSUE")]


async def test_a_thousand_late_confirms_of_ten_slots_book_ten():
    """Reliability, slots: holds lapsed, everybody confirms at once; the constraint decides."""
    front = Front()
    slots = [slot(number) for number in range(10)]
    front.ward.offer(*slots)
    offers = []
    for number in range(1_000):
        patient, thread = replace(RAVI, id=f"p{number}@sbx"), replace(THREAD, consumer_id=f"app-{number % 7}.example")
        offers.append(await front.offered(slots[number % 10], patient, thread))
        if number % 10 == 9:
            await front.clock.advance(QUARTER)

    answers = await asyncio.gather(*(front.confirm(offer) for offer in offers))

    assert sum(isinstance(answer, OnConfirm) for answer in answers) == 10
    assert sum(outcome(answer) == "40002" for answer in answers) == 990


async def test_a_teleconsultation_has_no_pin():
    """UHI teleconsultation: no authorization, where the policy opens it."""
    front = Front(policy=Policy(fulfilments=("Physical", "Online")))
    online = replace(slot(0, doctor=REGISTERED), fulfilment="Online")
    front.ward.offer(online)

    order = await front.booked(online)

    assert (order.state, order.fulfillment.type, order.authorization) == ("CONFIRMED", "Online", None)


async def test_nhas_own_init_is_held():
    """NHA's sample of an init, against a hospital that has its slot."""
    order = Init.model_validate(json.loads((SAMPLES / "physical-05-init.json").read_text("utf-8"))["message"]).order
    front = Front()
    start = DAY.replace(month=9, day=24)
    doctor = replace(ASHA, id="asha.verma@hpr.ndhm", facility=FACILITY)
    # The item's id is the hospital's own; NHA's example counts from 0.
    front.ward.offer(replace(slot(0, doctor=doctor), id=order.fulfillment.id, start=start, end=start.replace(hour=11)))

    answer = await front.holding.init(
        order.model_copy(update={"item": order.item.model_copy(update={"id": None})}), THREAD
    )

    assert isinstance(answer, OnInit)
    assert answer.order.billing == order.billing
    assert answer.order.customer == order.customer


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("ic"), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1_000)), max_size=25)
)
async def test_whatever_happens_a_slot_has_one_patient(steps):
    """Reliability, slots: any order of inits, confirms and waiting."""
    front = Front(policy=Policy(holds=HoldLimits(per_patient=9)))
    slots: list[Slot] = [slot(number) for number in range(3)]
    front.ward.offer(*slots)
    offers = {}

    for what, who, which, wait in steps:
        patient = replace(RAVI, id=f"patient-{who}@sbx")
        if what == "i" and isinstance(await front.init(slots[which], patient), OnInit):
            offers[who, which] = await front.offered(slots[which], patient)
        elif what == "c" and (who, which) in offers:
            await front.confirm(offers[who, which])
        await front.clock.advance(wait)

        orders = [await front.store.get(offer.order_id) for offer in offers.values()]
        booked = [order.slot.id for order in orders if order.state is OrderState.CONFIRMED]
        assert len(booked) == len(set(booked))
