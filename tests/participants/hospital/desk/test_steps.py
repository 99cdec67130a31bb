"""Who may take which step, in which state: the library's one table, over HTTP, in full."""

from __future__ import annotations

from datetime import timedelta

import pytest

from participants.hospital.desk.counter import PERMISSIONS, STEPS
from tests.participants.hospital.house import ASHA, House
from uhi.booking import Booking, OrderState
from uhi.booking.states import MOVES, EventKind, Party, who_may
from uhi.identity.principals import Grant
from uhi.identity.roles import ROLES, AccessRole

PREFIXES = {Party.DESK: "/v1/appointments", Party.CLINICIAN: "/v1/clinic/appointments"}
OF_THE_PROGRAM = {role for role in AccessRole if role.value.startswith(("registry", "gateway", "hospital.operator"))}
REACHED = {
    OrderState.CONFIRMED: (),
    OrderState.APPOINTMENT_STARTED: ("override", "start"),
    OrderState.COMPLETED: ("override", "start", "complete"),
    OrderState.NO_SHOW: ("no-show",),
    OrderState.CANCELLED: ("cancel",),
}
"""The steps from a booking to each state that the desk brings about."""
OF_CALLS = {"consent": {"mode": "video"}, "presence": {"who": "patient", "what": "joined"}}
"""The steps of a consultation online, and what they take."""


async def body_of(house: House, step: str, booking: Booking) -> dict[str, object] | None:
    """What a step takes."""
    reason = {"reason": "DOCTOR_UNAVAILABLE"}
    if step == "move":
        return {**reason, "slot_id": (await house.slots(ASHA))[-1].slot.id}
    bodies = {"pin": {"pin": booking.pin}, "override": {"reason": "OVERRIDE_EMERGENCY_CONSULTATION"}}
    bodies |= {"cancel": reason, "complete": {}}
    return bodies.get(step)


async def visit(house: House) -> Booking:
    """An appointment whose time has come."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start + timedelta(minutes=1))
    return booking


def test_every_step_stands_for_something_that_may_happen():
    """Issue 5: allowed transitions and who may make them are one table; nothing of the staff's is without a step."""
    of_staff = {kind for kind in EventKind for party in PERMISSIONS if party in who_may(kind)}

    assert set(STEPS.values()) <= of_staff
    # A miss is what a wrong PIN makes happen; records are linked by completing once more; presence has three kinds.
    by_the_way = {EventKind.PIN_MISSED, EventKind.RECORDS_LINKED, EventKind.LEFT, EventKind.DOCTOR_ABSENT}
    assert of_staff - set(STEPS.values()) == by_the_way


@pytest.mark.case("IAM-03")
@pytest.mark.parametrize("role", [role for role in AccessRole if role is not AccessRole.SERVICE])
async def test_every_role_at_every_step(house, role):
    """Issue 5: who may make what happen is one table, tested in full; nobody else gets further than the door."""
    booking = await house.book(ASHA)
    tenant = "" if role in OF_THE_PROGRAM else house.city
    headers = await house.person(Grant(role, tenant), practitioner_id=house.record_of(ASHA))
    expected = {
        (party, step): 400 if PERMISSIONS[party] in ROLES[role] else 403
        for party in PREFIXES
        for step, kind in STEPS.items()
        if party in who_may(kind)
    }

    found = {
        (party, step): (
            await house.ask("POST", f"{PREFIXES[party]}/{booking.order_id}/{step}", headers=headers, json={"no": 1})
        ).status
        for party, step in expected
    }

    assert found == expected


async def test_steps_that_a_clinician_may_not_take_are_not_there(house):
    """Issue 5: the table of `uhi.booking.states` decides which routes there are."""
    booking = await house.book(ASHA)
    doctor, absent = await house.clinician(), [step for step in STEPS if Party.CLINICIAN not in who_may(STEPS[step])]

    got = [
        await house.ask("POST", f"{PREFIXES[Party.CLINICIAN]}/{booking.order_id}/{each}", headers=doctor, json={})
        for each in absent
    ]

    assert (len(absent), {each.status for each in got}) == (5, {404})


@pytest.mark.parametrize("state", REACHED)
@pytest.mark.parametrize("step", OF_CALLS)
async def test_a_visit_in_person_has_no_step_of_a_call(house, state, step):
    """Telemedicine rules: they are for consultations online, whatever the state."""
    booking = await visit(house)
    desk, one = await house.desk(), f"{PREFIXES[Party.DESK]}/{booking.order_id}"
    for each in REACHED[state]:
        assert (await house.ask("POST", f"{one}/{each}", headers=desk, json=await body_of(house, each, booking))).status

    got = await house.ask("POST", f"{one}/{step}", headers=desk, json=OF_CALLS[step])

    assert (got.status, got.json["code"]) == (409, "API_STATE_REFUSED")


@pytest.mark.parametrize("state", REACHED)
@pytest.mark.parametrize("step", [step for step in STEPS if step not in OF_CALLS])
async def test_every_step_in_every_state(house, state, step):
    """Issue 5: what may happen in a state, and what state it leads to; all else is a conflict and changes nothing."""
    booking = await visit(house)
    desk, one = await house.desk(), f"{PREFIXES[Party.DESK]}/{booking.order_id}"
    for each in REACHED[state]:
        assert (await house.ask("POST", f"{one}/{each}", headers=desk, json=await body_of(house, each, booking))).status
    if step == "start" and state is OrderState.CONFIRMED:
        await house.ask("POST", f"{one}/pin", headers=desk, json={"pin": booking.pin})
    kind = EventKind.CANCELLED if step == "move" else STEPS[step]
    leads = {move.target for move in MOVES if (move.kind, move.source) == (kind, state) and Party.DESK in move.parties}
    # The same state again is a refresh.
    refreshed = step != "move" and {move.target for move in MOVES if move.kind is kind} == {state}

    got = await house.ask("POST", f"{one}/{step}", headers=desk, json=await body_of(house, step, booking))
    now = (await house.ask("GET", one, headers=desk)).json["appointment"]["state"]

    assert got.status == (200 if leads or refreshed else 409), got.text
    assert now == next(iter(leads or {state})).value


async def test_a_consultation_does_not_start_without_the_pin(house):
    """NHA, PIN authorization: verified or overridden first; the refusal says what helps."""
    booking = await visit(house)
    one = f"{PREFIXES[Party.DESK]}/{booking.order_id}/start"

    got = await house.ask("POST", one, headers=await house.desk())

    assert (got.status, got.json["code"]) == (409, "API_STATE_REFUSED")
    assert "verify the PIN" in got.json["errors"][0]["message"]


async def test_what_is_not_booked_takes_no_step(house):
    """Ours: a hold is no appointment."""
    offer, desk = await house.held(ASHA), await house.desk()

    got = await house.ask("POST", f"{PREFIXES[Party.DESK]}/{offer.order_id}/start", headers=desk)

    assert (got.status, got.json["code"]) == (409, "API_STATE_REFUSED")


async def test_clinician_starts_and_completes(house):
    """Issue 5: the doctor who treats; the stream names who did it, and the patient is told."""
    booking, doctor = await visit(house), await house.clinician()
    desk, one = await house.desk(), f"{PREFIXES[Party.CLINICIAN]}/{booking.order_id}"
    await house.ask("POST", f"{PREFIXES[Party.DESK]}/{booking.order_id}/pin", headers=desk, json={"pin": booking.pin})

    started = await house.ask("POST", f"{one}/start", headers=doctor)
    done = await house.ask("POST", f"{one}/complete", headers=doctor, json={"care_context_id": "visit-7"})

    assert (started.status, done.status, done.json["care_context_id"]) == (200, 200, "visit-7")
    assert [each["by"] for each in done.json["history"][-3:]] == ["person acc-2", "person acc-1", "person acc-1"]
    told = await house.bookings.status(booking, wait=5)
    assert (told.state, told.care_context_id) == (OrderState.COMPLETED, "visit-7")
