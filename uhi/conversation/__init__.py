"""Conversations about orders, for both sides: texts, documents kept encrypted, signals of calls passed through.

Above: participants; below: `uhi.booking`, `uhi.files`. Source: NHA Physical Consultation v2.0, on_message.
"""

from uhi.conversation.calls import CallLog
from uhi.conversation.contents import ChatRules, Document, Why
from uhi.conversation.conversations import Conversations, Said
from uhi.conversation.listening import Listener
from uhi.conversation.messages import Attached, Kind, Message, Signal
from uhi.conversation.prescriptions import AnyMedicine, Formulary, Prescription
from uhi.conversation.sql_orders import ProviderOrders
from uhi.conversation.talks import Orders, Talk, Talker, talk_of_booking, talk_of_order
from uhi.conversation.vault import Shelf, shelf_at

__all__ = [
    "AnyMedicine",
    "Attached",
    "CallLog",
    "ChatRules",
    "Conversations",
    "Document",
    "Formulary",
    "Kind",
    "Listener",
    "Message",
    "Orders",
    "Prescription",
    "ProviderOrders",
    "Said",
    "Shelf",
    "Signal",
    "Talk",
    "Talker",
    "Why",
    "shelf_at",
    "talk_of_booking",
    "talk_of_order",
]
