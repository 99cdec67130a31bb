"""Audit copies: what a provider told a consumer, told to the gateway once more.

Source: NHA Physical Consultation v2.0. The copy is the very bytes of the callback; older senders send a shortened
order and put `_audit` behind `context.action`.
"""

from __future__ import annotations

from uhi.messages.ordering import Order
from uhi.messages.wire import Wire


class OnConfirmAudit(Wire):
    """Copy of `on_confirm`."""

    order: Order


class OnStatusAudit(Wire):
    """Copy of `on_status`."""

    order: Order


class OnUpdateAudit(Wire):
    """Copy of the provider's `on_update`."""

    order: Order


class OnCancelAudit(Wire):
    """Copy of `on_cancel`."""

    order: Order
