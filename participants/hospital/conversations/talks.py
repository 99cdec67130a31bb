"""Whose the conversations of a hospital are: each belongs to the organisation and the practitioner of its order.

Above: the hospital's program; below: `uhi.conversation`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from uhi.booking.kept import KeptOrder
from uhi.booking.store import BookingStore
from uhi.conversation import ProviderOrders, Talk, talk_of_order
from uhi.identity.rules import Target
from uhi.storage.sql.database import Database


class Whose(Protocol):
    """Knows whose an order is."""

    def target_of(self, order: KeptOrder) -> Target:
        """The record of an order, as rules look at it."""

    def practitioners_of(self, order: KeptOrder) -> frozenset[str]:
        """The records of everybody who sees the patient."""


def hospital_orders(database: Database, store: BookingStore, whose: Whose, *, provider_id: str) -> ProviderOrders:
    """The orders of a hospital that conversations are about."""

    def told(order: KeptOrder) -> Talk:
        target = whose.target_of(order)
        return replace(
            talk_of_order(order),
            tenant=target.tenant,
            practitioner_id=target.practitioner_id,
            other_practitioner_ids=whose.practitioners_of(order) - {target.practitioner_id},
        )

    return ProviderOrders(database, store, provider_id=provider_id, told=told)
