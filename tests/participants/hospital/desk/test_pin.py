"""The PIN at the desk: three tries, overrides with a reason, and nothing of it for anybody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.participants.hospital.house import ASHA
from uhi.identity.roles import Permission


@pytest.fixture
async def waiting(either_house):
    """A patient who stands at the desk: the hospital, the booking, and the paths of it."""
    booking = await either_house.book(ASHA)
    either_house.be(booking.slot.start)
    return either_house, booking, f"/v1/appointments/{booking.order_id}"


def another(pin: str) -> str:
    """Four digits that are not it."""
    return f"{(int(pin) + 1) % 10_000:04d}"


async def test_right_pin_is_verified(waiting):
    """NHA, PIN authorization: VERIFIED; the right one may be shown again."""
    house, booking, one = waiting
    desk = await house.desk()

    first, again = [await house.ask("POST", f"{one}/pin", headers=desk, json={"pin": booking.pin}) for _ in range(2)]

    assert (first.json["is_verified"], again.json["is_verified"]) == (True, True)
    assert (await house.ask("GET", one, headers=desk)).json["appointment"]["pin"]["status"] == "VERIFIED"


async def test_third_wrong_pin_is_the_last(waiting):
    """Issue 5: three attempts; after them the right one opens nothing either, and an override does."""
    house, booking, one = waiting
    desk, wrong = await house.desk(), {"pin": another(booking.pin)}

    left = [(await house.ask("POST", f"{one}/pin", headers=desk, json=wrong)).json["attempts_left"] for _ in range(4)]
    late = await house.ask("POST", f"{one}/pin", headers=desk, json={"pin": booking.pin})
    aside = await house.ask("POST", f"{one}/override", headers=desk, json={"reason": "OVERRIDE_MISMATCH"})

    assert (left, late.json["is_verified"]) == ([2, 1, 0, 0], False)
    assert "override" in late.json["next_step"]
    assert (aside.status, aside.json["appointment"]["pin"]["status"]) == (200, "HSPAOVERRIDE")
    assert [each["kind"] for each in aside.json["history"]].count("PIN_MISSED") == 3


async def test_overrides_take_their_reasons(waiting):
    """NHA, reason codes: O1 to O6; OTHER takes a text, MISMATCH three wrong tries."""
    house, _, one = waiting
    desk = await house.desk()

    async def override(**body: str) -> tuple[int, str]:
        got = await house.ask("POST", f"{one}/override", headers=desk, json=body)
        return got.status, got.json.get("code", "")

    assert await override(reason="BECAUSE") == (400, "API_REQUEST_INVALID")
    assert await override(reason="OVERRIDE_OTHER") == (400, "API_REQUEST_INVALID")
    assert await override(reason="OVERRIDE_MISMATCH") == (409, "API_STATE_REFUSED")
    assert await override(reason="OVERRIDE_OTHER", text="the telephone is broken") == (200, "")


async def test_pin_of_another_day_is_not_tried(house):
    """NHA, PIN authorization: valid on the day of the appointment; no try is used up."""
    booking, desk = await house.book(ASHA), await house.desk()

    got = await house.ask("POST", f"/v1/appointments/{booking.order_id}/pin", headers=desk, json={"pin": booking.pin})

    assert (got.json["is_verified"], got.json["attempts_left"]) == (False, 3)


@pytest.mark.parametrize("pin", ["123", "12345", "abcd", "", 1234, None])
async def test_what_is_no_pin_is_refused(house, pin):
    """Ours: 400, no try used up, and what was typed is not repeated."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start + timedelta(minutes=1))
    desk, one = await house.desk(), f"/v1/appointments/{booking.order_id}"

    got = await house.ask("POST", f"{one}/pin", headers=desk, json={"pin": pin})

    assert got.status == 400
    assert not pin or f'"{pin}"' not in got.text
    assert (await house.ask("GET", one, headers=desk)).json["appointment"]["pin"]["attempts_left"] == 3


async def test_program_with_the_scope_checks_pins_too(house):
    """Security rules, IAM: services by scopes; the stream names the key."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start)
    key = await house.service(house.city, Permission.APPOINTMENTS_DESK)
    one = f"/v1/appointments/{booking.order_id}"

    checked = await house.ask("POST", f"{one}/pin", headers=key, json={"pin": booking.pin})
    history = (await house.ask("GET", one, headers=key)).json["history"]

    assert checked.json["is_verified"]
    assert history[-1]["by"].startswith("service ")
