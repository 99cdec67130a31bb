"""The messages of UHI as typed models: they keep what came, and say what we must send.

Pure: no I/O, no clock. Above it are the actions, below it only errors. The values that messages are made of are
imported from `uhi.messages.values`. Source: NHA Physical Consultation v2.0, gateway descriptions v2.0.2 and v1.0.7.
"""

from uhi.messages.audit import OnCancelAudit, OnConfirmAudit, OnStatusAudit, OnUpdateAudit
from uhi.messages.context import Context
from uhi.messages.conversation import MessageToConsumer, MessageToProvider
from uhi.messages.discovery import Catalog, Intent, OnSearch, Search, Slots, SlotsFound
from uhi.messages.envelope import Envelope, Error
from uhi.messages.fulfilment import Cancel, OnCancel, OnStatus, Reported, Status, Updated
from uhi.messages.lookup import Lookup, LookupRecord, ProviderLookup
from uhi.messages.ordering import Confirm, Init, OnConfirm, OnInit, OnSelect, Order, Select

__all__ = [
    "Cancel",
    "Catalog",
    "Confirm",
    "Context",
    "Envelope",
    "Error",
    "Init",
    "Intent",
    "Lookup",
    "LookupRecord",
    "MessageToConsumer",
    "MessageToProvider",
    "OnCancel",
    "OnCancelAudit",
    "OnConfirm",
    "OnConfirmAudit",
    "OnInit",
    "OnSearch",
    "OnSelect",
    "OnStatus",
    "OnStatusAudit",
    "OnUpdateAudit",
    "Order",
    "ProviderLookup",
    "Reported",
    "Search",
    "Select",
    "Slots",
    "SlotsFound",
    "Status",
    "Updated",
]
