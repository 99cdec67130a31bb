"""`uhi demo`: a search and a booking across a whole network, and the timeline of every message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import click

from cli.dev_network import HOSPITALS, PATIENT, DevNetwork, running
from cli.loop import run, settle_memory
from cli.output import json_option, say, say_rows, show
from cli.timeline import Step, line, steps
from uhi.booking import Booking, DoctorQuery, FoundDoctor, Offer, OrderState, Patient
from uhi.errors import BookingError
from uhi.messages.values import Address
from uhi.observability.logs import configure_logging
from uhi.testing.network import GATEWAY_ID

_SPECIALITY = "CARDIOLOGY"
_WAIT = 10.0
_PEOPLE = Patient(
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


@click.command()
@json_option
def demo(*, as_json: bool) -> None:
    """Run a whole network, find a doctor, book an appointment and cancel it, over HTTP; print the timeline.

    Exit code 0 only if every step held.
    """
    configure_logging(json=as_json)
    story = run(_tell())
    value = {
        "ok": story.ok,
        "steps": [step.as_json() for step in story.steps],
        "appointment": {"id": story.ended.order_id, "state": story.ended.state.value},
    }
    show(value, lambda: _print(story), as_json=as_json)
    if not story.ok:
        raise click.exceptions.Exit(1)


async def _tell() -> Story:
    async with running() as network:
        settle_memory()
        return await _book(network)


async def _book(network: DevNetwork) -> Story:
    bookings = network.patient.bookings
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
    offer = await bookings.hold(slots[0], _PEOPLE, wait=_WAIT)
    reasons = {term.type or "": "I have read this" for term in offer.terms if term.needs_reason}
    booked = await bookings.confirm(offer, agreed=reasons, wait=_WAIT)
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


def _print(story: Story) -> None:
    slot = story.offer.found.slot
    say("A search and a booking across a whole UHI network, over HTTP, every message signed and verified", style="bold")
    say()
    for step in story.steps:
        say(line(step), style="" if step.ok else "red")
    say()
    hospitals = {each.doctor.facility.name for each in story.found}
    say_rows(
        [
            ("found", f"{len(story.found)} doctors of {_SPECIALITY.title()} at {' and '.join(sorted(hospitals))}"),
            ("held", f"{slot.doctor.name}, {slot.start:%a %d %b %H:%M}, {story.offer.quote.total} rupees"),
            ("terms", f"{len(story.offer.terms)} shown and agreed"),
            ("booked", f"{story.booked.order_id}, {story.booked.state.value}; the PIN went to the patient alone"),
            ("cancelled", f"{story.ended.order_id}, {story.ended.state.value}"),
        ]
    )
    say()
    say("every step held" if story.ok else "a step did not hold", style="bold green" if story.ok else "bold red")
