"""Orders as a provider writes them, from what it keeps; and what it demands of a consumer's order.

Pure. A demand returns None, or the Decline that answers the request. Above: `uhi.booking.desk`.
Source: NHA Physical Consultation v2.0, init to on_cancel.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from uhi.actions import Decline
from uhi.booking.catalog import write_facility, write_item, write_slot
from uhi.booking.hospital import Patient, Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.pin import write_pin
from uhi.booking.policy import Policy
from uhi.booking.quotes import write_quote
from uhi.booking.reasons import PatientReason
from uhi.booking.telemedicine import is_offered, lacking
from uhi.booking.terms import agree, check_agreed
from uhi.errors import BookingError
from uhi.faults import (
    CANCELLATION_IMPOSSIBLE,
    PATIENT_UNIDENTIFIED,
    PAYMENT_UNSUPPORTED,
    QUOTE_UNAVAILABLE,
    SLOT_UNAVAILABLE,
)
from uhi.messages import Order
from uhi.messages.tags import (
    CANCEL_REASON,
    CANCELLED_BY,
    CARE_CONTEXT_ID,
    CHATBOT_LINK,
    DEEP_LINK,
    GRIEVANCE_CONTACT,
    HELPLINE_NUMBER,
    MESSAGING_SUPPORT,
    SLOT_ID,
    TELECONSULTATION_URI,
    write_our_tags,
)
from uhi.messages.values import (
    ONLINE,
    Payment,
    PaymentParams,
    Provider,
    Tags,
    rupees,
    write_tags,
)

ON_ORDER = "ON-ORDER"
NOT_PAID = "NOT_PAID"
FREE = "FREE"


def write_offer(order: KeptOrder) -> Order:
    """Return the order of on_init: the held slot, the quote and the terms; no state and no PIN yet."""
    return Order(
        id=order.id,
        provider=Provider(id=order.slot.doctor.facility.id),
        item=write_item(order.slot),
        fulfillment=write_slot(order.slot, write_tags({SLOT_ID: order.slot.id})),
        billing=order.billing,
        customer=order.customer,
        quote=write_quote(order.quote),
        payment=write_payment(order.slot),
        terms=list(order.terms),
    )


def write_full(order: KeptOrder, policy: Policy, *, join_url: str = "") -> Order:
    """Return the whole order as on_confirm, on_status, on_update and on_cancel tell it, PIN included; `join_url` is the
    patient's link to the call."""
    facility = order.slot.doctor.facility
    offer = write_offer(order)
    return offer.model_copy(
        update={
            "state": order.state.value,
            "provider": write_facility(facility, [order.slot.doctor]),
            "fulfillment": write_slot(order.slot, {**_tags(order, policy), **_online_tags(order, policy, join_url)}),
            "authorization": write_pin(order.pin) if order.pin else None,
        }
    )


def write_quoted(slot: Slot) -> Order:
    """Return the order of on_select: what a slot would cost, without a hold."""
    return Order(
        provider=Provider(id=slot.doctor.facility.id),
        item=write_item(slot),
        fulfillment=write_slot(slot),
        quote=write_quote(slot.quote),
        payment=write_payment(slot),
    )


def write_payment(slot: Slot) -> Payment:
    """Return how a slot is paid: at the facility, or not at all."""
    return Payment(
        type=ON_ORDER,
        status=NOT_PAID if slot.price else FREE,
        params=PaymentParams(amount=rupees(slot.price).value),
    )


def demand_one_slot(order: Order) -> Decline | None:
    """Decline an order whose fulfilment, item and tag do not name one and the same slot."""
    fulfillment, item = order.fulfillment, order.line
    if fulfillment is None or item is None or not fulfillment.id:
        return Decline(SLOT_UNAVAILABLE, "The order names no slot.")
    if {fulfillment.id, fulfillment.slot_id, item.fulfillment_id or fulfillment.id} != {fulfillment.id}:
        return Decline(SLOT_UNAVAILABLE, "Item, fulfilment and slot_id name different slots.")
    return None


def demand_allowed_online(slot: Slot, patient: Patient) -> Decline | None:
    """Decline a consultation online with a doctor whose registration is not known, or of a patient who is not
    identified; at a facility nothing of it is asked for."""
    if slot.fulfilment != ONLINE:
        return None
    if not is_offered(slot):
        return Decline(SLOT_UNAVAILABLE, "The doctor may not be consulted online.")
    missing = lacking(patient, slot)
    if missing:
        return Decline(PATIENT_UNIDENTIFIED, f"A consultation online needs the patient's {'; '.join(missing)}.")
    return None


def demand_payment(order: Order, slot: Slot) -> Decline | None:
    """Decline every form of payment but at the facility; nothing to pay only where nothing is."""
    payment = order.payment
    if payment is None:
        return None
    if payment.type not in {None, "", ON_ORDER, FREE}:
        return Decline(PAYMENT_UNSUPPORTED, "Payment is at the facility (ON-ORDER).")
    if payment.state not in {None, "", NOT_PAID, FREE} or (payment.is_free and slot.price):
        return Decline(PAYMENT_UNSUPPORTED, "The consultation is paid at the facility.")
    return None


def demand_offered(order: Order, slot: Slot) -> Decline | None:
    """Decline an order for another kind of consultation, doctor, facility, item or price than the slot's."""
    item, fulfillment = order.line, order.fulfillment
    agent = fulfillment.agent if fulfillment else None
    named = (
        (fulfillment.kind if fulfillment else None, slot.fulfilment),
        (agent.id if agent else None, slot.doctor.id),
        (order.provider.id if order.provider else None, slot.doctor.facility.id),
        (item.id if item else None, write_item(slot).id),
    )
    if any(text and text != ours for text, ours in named):
        return Decline(QUOTE_UNAVAILABLE, "Type, doctor, facility or item is not that of the slot.")
    if any(price != slot.price for price in _prices(order)):
        return Decline(QUOTE_UNAVAILABLE, "The price is not the one quoted.")
    return None


def demand_agreed(order: Order, kept: KeptOrder) -> Decline | None:
    """Decline a confirmation that is not of what was offered: slot, patient, item, price, payment, terms."""
    fulfillment = order.fulfillment
    if fulfillment is None or fulfillment.id != kept.slot.id or demand_one_slot(order):
        return Decline(QUOTE_UNAVAILABLE, "The slot is not the one held by this order.")
    patient_id = order.customer.id if order.customer else None
    if patient_id and patient_id != kept.patient.id:
        return Decline(QUOTE_UNAVAILABLE, "The patient is not the one the slot is held for.")
    if not _prices(order):
        return Decline(QUOTE_UNAVAILABLE, "The price is missing.")
    try:
        check_agreed(kept.terms, order.terms or [])
    except BookingError as error:
        return Decline(QUOTE_UNAVAILABLE, str(error))
    return demand_offered(order, kept.slot) or demand_payment(order, kept.slot)


def demand_cancellable(order: Order) -> Decline | None:
    """Decline a cancellation in the doctor's name, or one that asks for another state."""
    by = order.fulfillment.cancelled_by if order.fulfillment else None
    if by not in {None, "patient"}:
        return Decline(CANCELLATION_IMPOSSIBLE, "A consumer cancels for the patient only.")
    if order.state not in {None, "", "CANCELLED"}:
        return Decline(CANCELLATION_IMPOSSIBLE, "The state of a cancellation is CANCELLED.")
    return None


def agreed_terms(order: Order, kept: KeptOrder) -> KeptOrder:
    """Return the kept order with its own terms as agreed, and the reasons the patient gave."""
    reasons = {term.type or "": term.reason or "" for term in order.terms or []}
    return replace(kept, terms=agree(kept.terms, reasons))


def _prices(order: Order) -> list[Decimal]:
    """Every amount by which an order names its total."""
    item, quote, payment = order.line, order.quote, order.payment
    params = payment.params if payment and not payment.is_free else None
    named = (
        item.price.amount if item and item.price else None,
        quote.price.amount if quote and quote.price else None,
        params.due if params else None,
    )
    return [amount for amount in named if amount is not None]


def _online_tags(order: KeptOrder, policy: Policy, join_url: str) -> Tags:
    if order.slot.fulfilment != ONLINE:
        return {}
    link = write_tags({TELECONSULTATION_URI: join_url or None})
    return {**link, **write_our_tags({GRIEVANCE_CONTACT: policy.grievance_contact})}


def _tags(order: KeptOrder, policy: Policy) -> Tags:
    cancelled = order.cancellation
    tags = write_tags(
        {
            SLOT_ID: order.slot.id,
            MESSAGING_SUPPORT: "true" if policy.messaging_support else "false",
            HELPLINE_NUMBER: order.slot.doctor.facility.helpline_number,
            DEEP_LINK: policy.deep_link,
            CHATBOT_LINK: policy.chatbot_link,
            CARE_CONTEXT_ID: order.care_context_id or None,
            CANCELLED_BY: cancelled.by.value if cancelled else None,
            CANCEL_REASON: (cancelled.reason or PatientReason.PATIENT_OTHER.value) if cancelled else None,
        }
    )
    if cancelled and cancelled.text and policy.free_text_tag:
        tags[policy.free_text_tag] = cancelled.text
    if cancelled and cancelled.offered_slot_id and policy.offered_slot_tag:
        tags[policy.offered_slot_tag] = cancelled.offered_slot_id
    return tags
