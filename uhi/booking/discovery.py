"""A provider's side of finding: doctors for a first search, free slots for a second, a quote for select.

Above: `uhi.booking.provider`. Source: NHA Physical Consultation v2.0, search first and second.
"""

from __future__ import annotations

from uhi.actions import Decline
from uhi.booking.catalog import write_doctors, write_slots
from uhi.booking.desk import Desk
from uhi.booking.hospital import Doctor, Slot, Window
from uhi.booking.intents import LONGEST_WINDOW, read_search, read_slots, read_window
from uhi.booking.orders import demand_offered, demand_one_slot, write_quoted
from uhi.booking.telemedicine import is_offered, may_consult_online
from uhi.faults import SLOT_UNAVAILABLE
from uhi.messages import Intent, OnSearch, OnSelect, Order, SlotsFound
from uhi.messages.values import ONLINE
from uhi.verified import Thread


class Discovery:
    """Answers what binds nobody. `name` stands over the catalogues."""

    def __init__(self, desk: Desk, *, name: str) -> None:
        self._desk = desk
        self._name = name

    async def doctors(self, intent: Intent, thread: Thread) -> OnSearch | None:
        """Return the doctors a search concerns; None, silence, for another service or kind of consultation."""
        policy, now = self._desk.policy, self._desk.now()
        query = read_search(intent)
        if query is None or thread.domain != policy.domain or query.fulfilment not in policy.fulfilments:
            return None
        found = await self._desk.hospital.find_doctors(query)
        fitting = [doctor for doctor in found if _may_offer(doctor, query.fulfilment)]
        if not fitting and not policy.answers_empty:
            return None
        window = query.window or Window(now, now + LONGEST_WINDOW)
        return OnSearch(catalog=write_doctors(self._name, fitting, fulfilment=query.fulfilment, window=window))

    async def slots(self, intent: Intent, thread: Thread) -> SlotsFound | None:
        """Return the free slots of a doctor; None where the search names none or is for another service."""
        policy = self._desk.policy
        query = read_slots(intent, now=self._desk.now())
        if query is None or thread.domain != policy.domain or query.fulfilment not in policy.fulfilments:
            return None
        found = await self._free(query.doctor_id, query.window)
        fitting = [
            slot
            for slot in found
            if slot.fulfilment == query.fulfilment
            and query.facility_id in {"", slot.doctor.facility.id}
            and is_offered(slot)
        ]
        if not fitting and not policy.answers_empty:
            return None
        return SlotsFound(catalog=write_slots(self._name, fitting))

    async def select(self, order: Order) -> OnSelect | Decline:
        """Return what a free slot costs, without holding it."""
        slot = await self._named(order)
        if slot is None or slot.fulfilment not in self._desk.policy.fulfilments or not is_offered(slot):
            return Decline(SLOT_UNAVAILABLE)
        return demand_offered(order, slot) or OnSelect(order=write_quoted(slot))

    async def _named(self, order: Order) -> Slot | None:
        asked = order.fulfillment
        window = read_window(asked) if asked else None
        if asked is None or asked.agent is None or not asked.agent.id or window is None or demand_one_slot(order):
            return None
        found = await self._free(asked.agent.id, window)
        return next((slot for slot in found if slot.id == asked.id), None)

    async def _free(self, doctor_id: str, window: Window) -> list[Slot]:
        if window.end <= window.start:
            return []
        found = await self._desk.hospital.find_slots(doctor_id, window=window)
        now = self._desk.now()
        return [slot for slot in found if slot.start > now and window.start <= slot.start < window.end]


def _may_offer(doctor: Doctor, fulfilment: str) -> bool:
    return fulfilment in doctor.fulfilments and (fulfilment != ONLINE or may_consult_online(doctor))
