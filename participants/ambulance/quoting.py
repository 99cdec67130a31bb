"""From a call to its quote: init asks, on_init answers with price and terms, and the operator calls back.

Nothing is reserved and no person or vehicle is named. Above: `app`; below: `fleet`, `calls`. Source: NHA's Ambulance
document, init and on_init.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from participants.ambulance.calls import Calls, WaitingCall
from participants.ambulance.fleet import Fleet
from uhi.actions import Decline
from uhi.booking.patients import read_patient
from uhi.booking.speaker import moment
from uhi.faults import ANSWER_FAILED, QUOTE_UNAVAILABLE, SLOT_UNAVAILABLE
from uhi.listing.ambulances import (
    DESTINATION,
    DOMAIN,
    EMERGENCY,
    NON_EMERGENCY,
    SOURCE,
    Call,
    Operator,
    Vehicle,
    read_place,
    terms_texts,
    write_item,
    write_offer,
    write_ride,
)
from uhi.listing.terms import offered_terms
from uhi.messages import OnInit, Order
from uhi.ports import Clock
from uhi.verified import Thread

QUOTED_FOR = timedelta(hours=1)


class Quoting:
    """Answers init."""

    def __init__(self, fleet: Fleet, *, calls: Calls, clock: Clock) -> None:
        self._fleet = fleet
        self._calls = calls
        self._clock = clock

    async def quote(self, order: Order, thread: Thread) -> OnInit | Decline:
        """Return the quote for a call, or why there is none."""
        patient, source = read_patient(order), read_place(order.locations, SOURCE)
        kind = (order.fulfillment.type if order.fulfillment else None) or ""
        if thread.domain != DOMAIN or kind not in {EMERGENCY, NON_EMERGENCY}:
            return Decline(QUOTE_UNAVAILABLE, "This is no order for an ambulance.")
        if patient is None or source is None:
            missing = "customer.id" if patient is None else "locations with a SOURCE"
            return Decline(ANSWER_FAILED, f"message.order.{missing} is missing.")
        call = Call(kind, source, read_place(order.locations, DESTINATION))
        if kind == NON_EMERGENCY and call.destination is None:
            return Decline(ANSWER_FAILED, "message.order.locations has no DESTINATION with a position.")
        chosen = await self._chosen(order, call)
        if chosen is None:
            return Decline(SLOT_UNAVAILABLE, "The ambulance cannot come.")
        operator, vehicle = chosen
        if _differs(order, vehicle):
            return Decline(QUOTE_UNAVAILABLE, "Item or price is not what was offered.")
        offer = self._offer(order, operator, vehicle)
        waiting = WaitingCall(at=moment(self._clock), order=offer, patient=patient, call=call, thread=thread)
        order_id = await self._calls.take(waiting)
        return OnInit(order=offer.model_copy(update={"id": order_id}))

    async def _chosen(self, order: Order, call: Call) -> tuple[Operator, Vehicle] | None:
        asked, provider_id = order.fulfillment, order.provider.id if order.provider else None
        if asked is None or call.source is None:
            return None
        able = await self._fleet.able(call, call.source)
        for operator in await self._fleet.operators():
            for vehicle in able.get(operator.id, ()):
                if vehicle.id == asked.id and provider_id == operator.id and not operator.is_paused:
                    return operator, vehicle
        return None

    def _offer(self, order: Order, operator: Operator, vehicle: Vehicle) -> Order:
        now = moment(self._clock)
        kind = (order.fulfillment.type if order.fulfillment else None) or EMERGENCY
        ride = write_ride(vehicle, kind=kind, now=now, terms_url=operator.terms_url)
        terms = offered_terms(terms_texts(operator, vehicle), until=now + QUOTED_FOR)
        return write_offer(order, vehicle, operator, ride).model_copy(
            update={"id": secrets.token_hex(16), "terms": list(terms)}
        )


def _differs(order: Order, vehicle: Vehicle) -> bool:
    item, ours = order.line, write_item(vehicle)
    if item is None or item.id != ours.id or item.fulfillment_id not in {None, ours.fulfillment_id}:
        return True
    return item.price is not None and item.price.amount != vehicle.quote.total
