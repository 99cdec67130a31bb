"""The whole way of a patient over REST: consent, search, slots, booking, a restart in the middle, cancellation."""

from __future__ import annotations

import asyncio

from participants.patient.people.notices import Purpose
from tests.participants.patient.scene import Person, agreed


async def first_offer(person: Person, search_id: str) -> str:
    """The reference of the first offer, once a hospital has answered."""
    while True:
        page = await person.ask("GET", f"/v1/searches/{search_id}")
        assert page.status == 200, page.text
        if page.json["doctors"]:
            return str(page.json["doctors"][0]["offers"][0]["ref"])
        await asyncio.sleep(0.05)


async def test_from_a_search_to_an_appointment_and_back(scene):
    """Issue: what a search finds is what is booked, with the references that it gave, in the next life too."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    await ravi.consent(Purpose.DISCOVERY)
    begun = await ravi.ask("POST", "/v1/searches", json={"doctor": "Verma"})
    assert begun.status == 201, begun.text
    ref = await first_offer(ravi, begun.json["id"])
    slots = await ravi.ask("GET", f"/v1/searches/{begun.json['id']}/doctors/{ref}/slots")
    wanted = slots.json["slots"][0]

    await scene.restart()
    held = await ravi.ask("POST", "/v1/bookings", json={"slot": wanted["ref"], "member_id": member})
    booked = await ravi.ask("POST", f"/v1/bookings/{held.json['id']}/confirm", json=agreed(held.json))
    gone = await ravi.ask(
        "POST", f"/v1/bookings/{held.json['id']}/cancel", json={"reason": "PATIENT_SEEKING_ALTERNATIVE"}
    )

    assert (held.status, held.json["start"]) == (201, wanted["start"])
    assert (booked.json["state"], gone.json["state"]) == ("CONFIRMED", "CANCELLED")
