"""What every implementation of `uhi.booking.Hospital` must keep, as rules to run against yours, each on its own.

A rule is an async function of a `Trial` that returns, or raises `ContractBroken` and says what was promised and what
happened. Any test runner will do. Below: `uhi.booking.hospital`, whose docstrings are the contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from uhi.booking.hospital import Appointment, DoctorQuery, Hold, Hospital, Patient, Slot, Window
from uhi.booking.reasons import CancelledBy, DoctorReason, PatientReason
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages.values import Address

AT_ONCE = 20
_HOLD = timedelta(minutes=15)
_NOBODY = "nobody.here@hpr.ndhm"


class ContractBroken(AssertionError):
    """An implementation does not do what the Protocol promises."""


async def real_time(length: timedelta) -> None:
    """Let time pass by waiting for it."""
    await asyncio.sleep(length.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A hospital to try, and a doctor of it with at least three free slots in the window, none booked by the rules yet.

    `now` is the hospital's own time, `pass_time` lets some of it pass: with a clock that can be set say how, otherwise
    it is waited for, and the one rule that needs it takes `shortest_hold` in real time.
    """

    hospital: Hospital
    doctor_id: str
    window: Window
    now: Callable[[], datetime]
    pass_time: Callable[[timedelta], Awaitable[None]] = real_time
    shortest_hold: timedelta = timedelta(seconds=1)

    async def free(self) -> Sequence[Slot]:
        """The slots that are free now; a trial without any cannot tell anything."""
        found = await self.hospital.find_slots(self.doctor_id, window=self.window)
        _demand(len(found) > 0, "the doctor of the trial has free slots", "there are none left")
        return found

    async def slot(self) -> Slot:
        """One that is free now."""
        return (await self.free())[0]

    async def hold(self, slot: Slot, who: int = 1, *, length: timedelta = _HOLD) -> Hold:
        """Hold a slot for one of the invented patients."""
        return await self.hospital.hold(slot.id, patient=patient(who), until=self.now() + length)

    async def is_offered(self, slot: Slot) -> bool:
        """Whether a slot is among the free ones."""
        found = await self.hospital.find_slots(self.doctor_id, window=self.window)
        return slot.id in {each.id for each in found}

    async def book(self) -> tuple[Hold, Appointment]:
        """Book some free slot."""
        hold = await self.hold(await self.slot())
        return hold, await self.hospital.book(hold)


Rule = Callable[[Trial], Awaitable[None]]


def patient(number: int) -> Patient:
    """Somebody invented; each number is another person."""
    address = Address(street="1 Example Road", city="Pune", state="Maharashtra", country="INDIA", area_code="411005")
    return Patient(id=f"contract.{number}@sbx", name=f"Patient {number}", phone="9000000000", address=address)


async def a_search_without_filters_finds_the_doctor(trial: Trial) -> None:
    """`find_doctors`: an empty filter does not restrict."""
    found = await trial.hospital.find_doctors(DoctorQuery())
    _demand(trial.doctor_id in {each.id for each in found}, "the doctor is found", f"{len(found)} others are")


async def a_search_for_somebody_else_does_not_find_the_doctor(trial: Trial) -> None:
    """`find_doctors`: filters restrict, and HPR address is one of them."""
    found = await trial.hospital.find_doctors(DoctorQuery(hpr=_NOBODY))
    _demand(not found, "nobody is found", f"{len(found)} are")


async def slots_are_of_the_doctor_and_start_in_the_window(trial: Trial) -> None:
    """`find_slots`: the free slots of a doctor that start in the window."""
    for each in await trial.free():
        _demand(each.doctor.id == trial.doctor_id, "a slot is of the doctor asked for", f"it is of {each.doctor.id}")
        zoned = each.start.tzinfo is not None and each.end.tzinfo is not None
        _demand(zoned, "a slot's times have a zone", f"slot {each.id} starts at {each.start.isoformat()} of no zone")
        inside = trial.window.start <= each.start < trial.window.end
        _demand(inside, "a slot starts in the window", f"slot {each.id} starts at {each.start.isoformat()}")
        _demand(each.start < each.end, "a slot ends after its start", f"slot {each.id} does not")


async def slots_have_names_of_their_own_and_do_not_overlap(trial: Trial) -> None:
    """`find_slots`: an id names one slot; one doctor sees one patient on one seat at a time."""
    found = await trial.free()
    _demand(len({each.id for each in found}) == len(found), "every slot has an id of its own", "two share one")
    seats = {(each.seat, each.fulfilment) for each in found}
    for seat in seats:
        in_order = sorted((each for each in found if (each.seat, each.fulfilment) == seat), key=lambda each: each.start)
        apart = all(one.end <= other.start for one, other in pairwise(in_order))
        _demand(apart, "slots of one seat do not overlap", "two do")


async def nobody_has_slots_of_a_doctor_who_is_not_there(trial: Trial) -> None:
    """`find_slots`: none for an unknown doctor."""
    found = await trial.hospital.find_slots(_NOBODY, window=trial.window)
    _demand(not found, "an unknown doctor has no slots", f"there are {len(found)}")


async def a_hold_is_of_the_slot_and_the_price_that_were_offered(trial: Trial) -> None:
    """`hold`: the slot that was offered, at its price, until the time asked for at least."""
    slot, until = await trial.slot(), trial.now() + _HOLD
    held = await trial.hospital.hold(slot.id, patient=patient(1), until=until)
    _demand(held.slot.id == slot.id, "the hold is of the slot asked for", f"it is of {held.slot.id}")
    _demand(held.slot.price == slot.price, "the price is the one offered", "it is another one")
    _demand(held.until >= until, "the hold lasts until the time asked for", "it ends before")


async def a_held_slot_is_not_offered(trial: Trial) -> None:
    """`find_slots`: free slots only."""
    slot = await trial.slot()
    await trial.hold(slot)
    _demand(not await trial.is_offered(slot), "a held slot is not offered", "it is")


async def another_patient_does_not_get_a_held_slot(trial: Trial) -> None:
    """`hold`: of two askers one gets it."""
    slot = await trial.slot()
    await trial.hold(slot, 1)
    await _must_raise(SlotUnavailable, trial.hold(slot, 2), "a second patient's hold of the slot")


async def the_same_patient_again_gets_the_same_hold(trial: Trial) -> None:
    """`hold`: who asks again has not learnt of it; prolonged where asked for, never shortened."""
    slot = await trial.slot()
    first = await trial.hold(slot)
    shorter = await trial.hold(slot, length=timedelta(minutes=1))
    longer = await trial.hold(slot, length=2 * _HOLD)
    _demand(first.id == shorter.id == longer.id, "the same patient gets the hold there is", "a new one was made")
    _demand(shorter.until >= first.until, "a hold is never shortened", "it was")
    _demand(longer.until > first.until, "a hold is prolonged where asked for", "it was not")


async def of_many_at_once_exactly_one_gets_the_slot(trial: Trial) -> None:
    """`hold`: one atomic step, however many ask at the same time."""
    slot = await trial.slot()
    asked = (trial.hold(slot, who) for who in range(1, AT_ONCE + 1))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    held = sum(isinstance(each, Hold) for each in outcomes)
    _demand(held == 1, f"of {AT_ONCE} patients at once one gets the slot", f"{held} do")
    others = [each for each in outcomes if not isinstance(each, (Hold, SlotUnavailable))]
    _demand(not others, "the others get SlotUnavailable", f"one got {type(others[0]).__name__}" if others else "")


async def an_unknown_slot_cannot_be_held(trial: Trial) -> None:
    """`hold`: raises SlotUnavailable."""
    asked = trial.hospital.hold("there is no such slot", patient=patient(1), until=trial.now() + _HOLD)
    await _must_raise(SlotUnavailable, asked, "the hold of an unknown slot")


async def a_released_slot_is_free_again(trial: Trial) -> None:
    """`release`: frees the slot; a second time it is no error, and takes nothing from whoever has it then."""
    slot = await trial.slot()
    first = await trial.hold(slot, 1)
    await trial.hospital.release(first)
    _demand(await trial.is_offered(slot), "a released slot is offered", "it is not")
    await trial.hold(slot, 2)
    await trial.hospital.release(first)
    _demand(not await trial.is_offered(slot), "a second release takes nothing from the next patient", "it did")


async def a_lapsed_hold_is_free_by_itself(trial: Trial) -> None:
    """`find_slots`, `hold`: a slot whose hold has passed its `until` is free, without a release."""
    slot = await trial.slot()
    first = await trial.hold(slot, 1, length=trial.shortest_hold)
    # A hospital that keeps whole seconds rounds up.
    await trial.pass_time(trial.shortest_hold + timedelta(seconds=1.5))
    _demand(await trial.is_offered(slot), "a slot whose hold is over is offered", "it is not")
    await trial.hold(slot, 2)
    await _must_raise(
        SlotUnavailable, trial.hospital.book(first), "booking with a hold that another patient's followed"
    )


async def the_same_hold_again_is_the_same_appointment(trial: Trial) -> None:
    """`book`: it is asked again where the answer was lost; a release that comes late does not undo it."""
    hold, first = await trial.book()
    again = await trial.hospital.book(hold)
    await trial.hospital.release(hold)
    late = await trial.hospital.book(hold)
    _demand(first.id == again.id == late.id, "one hold makes one appointment", "there are two")


async def a_booked_slot_is_not_offered_and_cannot_be_held(trial: Trial) -> None:
    """`find_slots`, `hold`: neither for others nor for the same patient, hold or no hold."""
    hold, _ = await trial.book()
    await trial.hospital.release(hold)
    _demand(not await trial.is_offered(hold.slot), "a booked slot is not offered", "it is")
    await _must_raise(SlotUnavailable, trial.hold(hold.slot, 2), "another patient's hold of a booked slot")
    await _must_raise(SlotUnavailable, trial.hold(hold.slot, 1), "the same patient's hold of a booked slot")


async def a_hold_that_was_never_made_cannot_be_booked(trial: Trial) -> None:
    """`book`: raises SlotUnavailable when the slot is not held by this hold."""
    invented = Hold(id="never-made", slot=await trial.slot(), patient=patient(1), until=trial.now() + _HOLD)
    await _must_raise(SlotUnavailable, trial.hospital.book(invented), "booking without a hold")


async def a_patient_can_cancel_and_again_without_effect(trial: Trial) -> None:
    """`cancel`: called off once; a second time changes nothing."""
    _, booked = await trial.book()
    for _ in range(2):
        await trial.hospital.cancel(
            booked.id, by=CancelledBy.PATIENT, reason=PatientReason.PATIENT_PERSONAL_EMERGENCY.value
        )
    known = await trial.hospital.appointment(booked.id)
    still = known is not None and known.cancelled is None
    _demand(not still, "a cancelled appointment is known as cancelled, or not at all", "it still stands")


async def an_unknown_reason_is_taken_too(trial: Trial) -> None:
    """`cancel`: `reason` is a code, perhaps unknown: a patient is not kept to an appointment by a new code."""
    _, booked = await trial.book()
    await trial.hospital.cancel(booked.id, by=CancelledBy.PATIENT, reason="A_CODE_OF_NEXT_YEAR")


async def the_doctor_can_cancel(trial: Trial) -> None:
    """`cancel`: by the doctor too; whether the slot is offered again is the hospital's own business."""
    _, booked = await trial.book()
    await trial.hospital.cancel(booked.id, by=CancelledBy.DOCTOR, reason=DoctorReason.DOCTOR_UNAVAILABLE.value)


async def an_appointment_is_known_by_its_id(trial: Trial) -> None:
    """`appointment`: what is known of it, None if nothing."""
    _, booked = await trial.book()
    known = await trial.hospital.appointment(booked.id)
    _demand(known is not None and known.id == booked.id, "a booked appointment is known", "it is not")
    _demand(await trial.hospital.appointment("there-is-none") is None, "an unknown one is None", "it is not")


RULES: tuple[Rule, ...] = (
    a_search_without_filters_finds_the_doctor,
    a_search_for_somebody_else_does_not_find_the_doctor,
    slots_are_of_the_doctor_and_start_in_the_window,
    slots_have_names_of_their_own_and_do_not_overlap,
    nobody_has_slots_of_a_doctor_who_is_not_there,
    a_hold_is_of_the_slot_and_the_price_that_were_offered,
    a_held_slot_is_not_offered,
    another_patient_does_not_get_a_held_slot,
    the_same_patient_again_gets_the_same_hold,
    of_many_at_once_exactly_one_gets_the_slot,
    an_unknown_slot_cannot_be_held,
    a_released_slot_is_free_again,
    a_lapsed_hold_is_free_by_itself,
    the_same_hold_again_is_the_same_appointment,
    a_booked_slot_is_not_offered_and_cannot_be_held,
    a_hold_that_was_never_made_cannot_be_booked,
    a_patient_can_cancel_and_again_without_effect,
    an_unknown_reason_is_taken_too,
    the_doctor_can_cancel,
    an_appointment_is_known_by_its_id,
)
"""The contract, simplest first."""


def _demand(kept: bool, promised: str, happened: str) -> None:
    if not kept:
        raise ContractBroken(f"promised: {promised}; but {happened}")


async def _must_raise(kind: type[SlotUnavailable | StateConflict], asked: Awaitable[object], what: str) -> None:
    try:
        await asked
    except kind:
        return
    raise ContractBroken(f"promised: {what} raises {kind.__name__}; but it did not")
