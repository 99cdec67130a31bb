"""Who talks with whom about which order, and the port that tells.

Above: `uhi.conversation.conversations`; an implementation for a provider is `sql_orders`. The ids of patient and doctor
are those of the order, never what a message says of itself. Source: NHA Physical Consultation v2.0, on_message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from uhi.booking.appointments import Booking, Reach
from uhi.booking.hospital import Doctor, Patient
from uhi.booking.kept import KeptOrder
from uhi.booking.states import OrderState
from uhi.messages.values import ONLINE
from uhi.verified import Thread

_OPEN = frozenset({OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED, OrderState.COMPLETED})


@dataclass(frozen=True, slots=True)
class Talker:
    """A patient (ABHA address) or a doctor (HPR address)."""

    id: str = field(repr=False)
    name: str = field(repr=False)
    gender: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation that an order makes possible.

    `is_open`: something may be said now. `reach` is how else the facility is reached, and whether it takes messages at
    all. `tenant` (None: nobody's) and `practitioner_id` say at the hospital whose it is, `account_id` on the patient's
    side; each of the two is empty where it does not apply. `others` are the doctors who see the patient besides,
    `other_practitioner_ids` their records at the hospital; `is_online` tells that nobody meets.
    """

    order_id: str
    thread: Thread
    patient: Talker
    doctor: Talker
    is_open: bool
    reach: Reach = field(default_factory=Reach)
    tenant: str | None = None
    practitioner_id: str = ""
    account_id: str = ""
    other_practitioner_ids: frozenset[str] = frozenset()
    is_online: bool = False
    others: tuple[Talker, ...] = ()


class Orders(Protocol):
    """The orders of a program, as far as conversations look at them."""

    async def find(self, order_id: str) -> Talk | None:
        """Return the talk of an order, by the id that the program's own interface has for it; None for no such order.

        Raises: Refusal(OVERLOADED) when it cannot be found out.
        """

    async def of_thread(self, thread: Thread) -> Sequence[Talk]:
        """Return the talks of all orders of a transaction between this consumer and this provider, the newest first.

        Raises: Refusal(OVERLOADED) when they cannot be found out.
        """


def talk_of_order(order: KeptOrder) -> Talk:
    """The talk of an order, as its provider keeps it."""
    doctor = order.slot.doctor
    return Talk(
        order_id=order.id,
        thread=order.thread,
        patient=_party_of(order.patient),
        doctor=_talker(doctor),
        others=tuple(map(_talker, order.slot.others)),
        is_online=order.slot.fulfilment == ONLINE,
        is_open=order.state in _OPEN,
        reach=Reach(helpline_number=doctor.facility.helpline_number, messaging=True),
    )


def talk_of_booking(booking: Booking, patient: Patient, *, account_id: str = "") -> Talk:
    """The talk of a booking, as its consumer knows it."""
    doctor = booking.slot.doctor
    return Talk(
        order_id=booking.order_id,
        thread=booking.thread,
        patient=_party_of(patient),
        doctor=_talker(doctor),
        others=tuple(map(_talker, booking.slot.others)),
        is_online=booking.slot.fulfilment == ONLINE,
        is_open=booking.state in _OPEN and not booking.price_mismatch,
        reach=booking.reach,
        account_id=account_id,
    )


def _party_of(patient: Patient) -> Talker:
    return Talker(patient.id, patient.name, patient.gender)


def _talker(doctor: Doctor) -> Talker:
    return Talker(doctor.id, doctor.name, doctor.gender)
