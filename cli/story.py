"""The story that `uhi dev` and `uhi demo` tell: a patient finds a doctor at two hospitals, books, and cancels."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from cli.dev_network import HOSPITALS, PATIENT, DevNetwork
from cli.dev_patient import BOOKER
from cli.output import say, say_rows
from cli.timeline import Step, steps
from uhi.booking import Booking, DoctorQuery, FoundDoctor, Offer, OrderState, Patient
from uhi.errors import BookingError
from uhi.messages.values import Address
from uhi.testing.network import GATEWAY_ID

_SPECIALITY = "CARDIOLOGY"
_WAIT = 10.0
_RAVI = Patient(
    id="ravi.kumar@sbx",
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(
        door="B-204",
        name="Ravi Kumar",
        locality="Sector 14",
        city="Delhi",
        state="Delhi",
        country="INDIA",
        area_code="110085",
    ),
    gender="M",
)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened: whom the search found, what was offered, how the appointment stood in the end."""

    found: tuple[FoundDoctor, ...]
    offer: Offer
    booked: Booking
    asked: Booking
    ended: Booking
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether every step held and every step was taken."""
        return (
            all(step.ok for step in self.steps)
            and not _missing(self)
            and self.booked.state is self.asked.state is OrderState.CONFIRMED
            and self.ended.state is OrderState.CANCELLED
        )


async def book(network: DevNetwork) -> Story:
    """Search, hold, confirm, ask for the status, cancel; returns when every message has been delivered.

    Raises: BookingError, NoAnswer, DeliveryError where the network does not hold.
    """
    bookings = network.bookings
    found: list[FoundDoctor] = []
    search = bookings.find(DoctorQuery(speciality=_SPECIALITY), wait=_WAIT)
    async for doctor in search:
        found.append(doctor)
        if {each.thread.provider_id for each in found} == set(HOSPITALS):
            break
    await search.aclose()  # type: ignore[attr-defined]  # an async generator, typed as an iterator
    if not found:
        raise BookingError("the search found nobody", next_step="see the timeline of `uhi dev`")
    slots = await bookings.slots(found[0], wait=_WAIT)
    if not slots:
        raise BookingError("the doctor has no free slot", next_step="run it again")
    booker = BOOKER if network.backend else ""
    offer = await bookings.hold(slots[-1], _RAVI, wait=_WAIT, account_id=booker)
    agreed = {term.type or "": "I have read this" if term.needs_reason else "" for term in offer.terms}
    booked = await bookings.confirm(offer, agreed=agreed, wait=_WAIT)
    asked = await bookings.status(booked, wait=_WAIT)
    ended = await bookings.cancel(asked, "PATIENT_BOOKED_IN_ERROR", wait=_WAIT)
    async with asyncio.timeout(_WAIT):
        await network.net.settle()
    return Story(tuple(found), offer, booked, asked, ended, tuple(steps(network.net.calls)))


def _missing(story: Story) -> set[tuple[str, str, str]]:
    """The messages a search and a booking consist of, as far as they were not sent."""
    chosen = story.offer.thread.provider_id
    wanted = {("search", PATIENT, GATEWAY_ID)}
    for hospital in HOSPITALS:
        wanted |= {("search", GATEWAY_ID, hospital), ("on_search", hospital, GATEWAY_ID)}
    wanted |= {("on_search", GATEWAY_ID, PATIENT), ("search", PATIENT, chosen), ("on_search", chosen, PATIENT)}
    for action in ("init", "confirm", "status", "cancel"):
        wanted |= {(action, PATIENT, chosen), (f"on_{action}", chosen, PATIENT)}
    wanted |= {(f"on_{action}_audit", chosen, GATEWAY_ID) for action in ("confirm", "status", "cancel")}
    return wanted - {(step.action, step.sender, step.receiver) for step in story.steps}


def show_outcome(story: Story) -> None:
    """What came of it, in a few lines."""
    slot = story.offer.found.slot
    hospitals = sorted({each.doctor.facility.name for each in story.found})
    say()
    say_rows(
        [
            ("found", f"{len(story.found)} doctors of {_SPECIALITY.title()} at {', '.join(hospitals)}"),
            ("held", f"{slot.doctor.name}, {slot.start:%a %d %b %H:%M}, {story.offer.quote.total} rupees"),
            ("terms", f"{len(story.offer.terms)} shown and agreed"),
            ("booked", f"{story.booked.order_id}, {story.booked.state.value}, with a PIN to show at the desk"),
            ("cancelled", f"{story.ended.order_id}, {story.ended.state.value}"),
        ]
    )
    say()
    say("every step held" if story.ok else "a step did not hold", style="bold green" if story.ok else "bold red")
