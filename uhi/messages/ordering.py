"""The order and the messages that make one: select, init, confirm, and their callbacks.

Source: NHA Physical Consultation v2.0; `select` from NHA gateway description v1.0.7. All members of an order are
optional when reading; what must be sent stands in `required`.
"""

from __future__ import annotations

from uhi.messages.values import (
    Authorization,
    Billing,
    Customer,
    Fulfillment,
    Item,
    Location,
    Payment,
    Provider,
    Quotation,
    Term,
)
from uhi.messages.wire import Many, Text, Wire


class Order(Wire):
    """An order in any stage between selection and completion."""

    id: Text | None = None
    state: Text | None = None
    provider: Provider | None = None
    item: Item | None = None
    items: Many[Item] | None = None
    fulfillment: Fulfillment | None = None
    billing: Billing | None = None
    customer: Customer | None = None
    quote: Quotation | None = None
    payment: Payment | None = None
    terms: Many[Term] | None = None
    authorization: Authorization | None = None
    locations: Many[Location] | None = None

    @property
    def line(self) -> Item | None:
        """What is ordered: `item`, or the first of `items` in older messages."""
        return self.item or next(iter(self.items or []), None)


class Select(Wire):
    """A consumer asks what an item would cost, without holding it."""

    order: Order


class OnSelect(Wire):
    """A provider's quote, without a hold."""

    order: Order


class Init(Wire):
    """A consumer asks to hold a slot for a patient."""

    order: Order


class OnInit(Wire):
    """A provider's offer for a held slot: order id, quote and terms."""

    order: Order


class Confirm(Wire):
    """A consumer accepts an offer, with the terms agreed."""

    order: Order


class OnConfirm(Wire):
    """A provider's answer to a confirmation: booked with a PIN, or failed."""

    order: Order
