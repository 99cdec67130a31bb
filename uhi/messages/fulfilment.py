"""Messages about an order once it exists: status, update, cancel. Source: NHA Physical Consultation v2.0."""

from __future__ import annotations

from uhi.messages.ordering import Order
from uhi.messages.wire import Wire


class Status(Wire):
    """A consumer asks how an order stands."""

    order: Order


class OnStatus(Wire):
    """A provider tells how an order stands, asked or unasked."""

    order: Order


class Updated(Wire):
    """`on_update` from the provider: the consultation began, ended, or the patient did not come."""

    order: Order


class Reported(Wire):
    """`on_update` from the consumer: the doctor did not come (`DOCTOR_NO_SHOW`)."""

    order: Order


class Cancel(Wire):
    """A consumer cancels an order for the patient."""

    order: Order


class OnCancel(Wire):
    """A provider tells that an order is cancelled, by the patient or by its own side."""

    order: Order
