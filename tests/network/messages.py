"""Messages for tests of the network: one of each, complete, about one invented patient and one invented doctor."""

from __future__ import annotations

from copy import deepcopy

from uhi.messages import (
    Cancel,
    Confirm,
    Init,
    MessageToConsumer,
    MessageToProvider,
    OnCancel,
    OnConfirm,
    OnInit,
    OnSearch,
    OnSelect,
    OnStatus,
    Reported,
    Search,
    Select,
    Slots,
    SlotsFound,
    Status,
    Updated,
)

CANARIES = ("Kanari Patientsson", "9876543210", "91-2345-6789-0123", "chest pain since Tuesday", "K4N4R1")
"""What a patient would not want to see in a log: name, mobile, ABHA number, symptom, PIN."""

NAME, PHONE, ABHA, SYMPTOM, PIN = CANARIES
ORDER_ID = "order-1"

_START = {"time": {"timestamp": "2026-12-01T10:00:00"}}
_END = {"time": {"timestamp": "2026-12-01T10:20:00"}}
_PRICE = {"currency": "INR", "value": "500.00"}
_ITEM = {"id": "1", "descriptor": {"code": "Consultation", "name": "Consultation"}, "fulfillment_id": "slot-1"}
_SLOT = {
    "id": "slot-1",
    "type": "Physical",
    "agent": {"id": "asha@hpr", "name": "Dr. Asha Verma"},
    "start": _START,
    "end": _END,
    "tags": {"@abdm/gov.in/slot_id": "slot-1"},
}
_TERMS = [
    {
        "type": kind,
        "descriptor": {"name": f"{kind} terms"},
        "reasonRequired": False,
        "timePeriod": "2026-12-31T23:59:59",
        "termsState": "AGREED",
    }
    for kind in ("Commercial", "Settlement", "Cancellation", "Refund", "Payment")
]
_PATIENT = {
    "billing": {"name": NAME, "phone": PHONE, "address": {"state": "Delhi", "area_code": "110085"}},
    "customer": {"id": "kanari@sbx", "person": {"gender": "F", "tags": {"@abdm/gov.in/abha_number": ABHA}}},
}
_OFFERED = {
    "id": ORDER_ID,
    "provider": {"id": "1"},
    "item": _ITEM,
    "fulfillment": _SLOT,
    "quote": {"price": _PRICE},
    "payment": {"type": "ON-ORDER", "status": "NOT_PAID", "params": {"amount": "500.00"}},
    "terms": _TERMS,
    **_PATIENT,
}
_PIN = {
    "type": "PIN",
    "token": PIN,
    "valid_from": "2026-12-01T00:00:00",
    "valid_to": "2026-12-01T23:59:00",
    "status": "GENERATED",
}
_CONFIRMED_SLOT = _SLOT | {
    "tags": {
        "@abdm/gov.in/slot_id": "slot-1",
        "@abdm/gov.in/messaging_support": "true",
        "@abdm/gov.in/helpline_number": "",
    }
}
_CANCELLED_TAGS = {"@abdm/gov.in/cancelledby": "patient", "@abdm/gov.in/cancel_reason": "PATIENT_BOOKED_IN_ERROR"}
_BOOKED = _OFFERED | {"state": "CONFIRMED", "fulfillment": _CONFIRMED_SLOT, "authorization": _PIN}
_CATALOG = {
    "descriptor": {"name": "Clinic"},
    "providers": [
        {
            "id": "1",
            "descriptor": {"name": "Clinic, main house"},
            "categories": [{"id": "1", "descriptor": {"name": "Cardiology", "code": "CARDIOLOGY"}}],
            "fulfillments": [{key: _SLOT[key] for key in ("id", "type", "agent", "start", "end")}],
            "items": [{"id": "1", "price": _PRICE, "fulfillment_id": "slot-1"}],
        }
    ],
}
_WANTED = {
    "fulfillment": {"type": "Physical", "agent": {"id": "asha@hpr"}, "start": _START, "end": _END},
    "item": {"descriptor": {"code": "Consultation", "name": "Consultation"}},
    "tags": {"symptom": SYMPTOM},
}


def _chat(sender: str, receiver: str) -> dict[str, object]:
    return {
        "intent": {
            "chat": {
                "sender": {"person": {"id": sender, "name": NAME}},
                "receiver": {"person": {"id": receiver, "name": "Dr. Asha Verma"}},
                "content": {"content_id": "c-1", "content_value": SYMPTOM, "content_type": "text"},
                "time": {"timestamp": "2026-12-01T10:00:00"},
            }
        }
    }


BODIES: dict[str, dict[str, object]] = {
    "search": {"intent": _WANTED},
    "slots": {"intent": _WANTED | {"provider": {"id": "1", "fulfillments": [{"agent": {"id": "asha@hpr"}}]}}},
    "on_search": {"catalog": _CATALOG},
    "select": {"order": {"provider": {"id": "1"}, "item": _ITEM}},
    "on_select": {"order": {"provider": {"id": "1"}, "item": _ITEM, "quote": {"price": _PRICE}}},
    "init": {"order": {key: value for key, value in _OFFERED.items() if key not in ("id", "quote", "terms")}},
    "on_init": {"order": _OFFERED},
    "confirm": {"order": _OFFERED},
    "on_confirm": {"order": _BOOKED},
    "status": {"order": {"id": ORDER_ID}},
    "on_status": {"order": _BOOKED},
    "cancel": {"order": {"id": ORDER_ID, "state": "CANCELLED", "fulfillment": {"tags": _CANCELLED_TAGS}}},
    "on_cancel": {"order": _OFFERED | {"state": "CANCELLED", "fulfillment": _SLOT | {"tags": _CANCELLED_TAGS}}},
    "on_update": {"order": _BOOKED | {"state": "APPOINTMENT_STARTED"}},
    "reported": {"order": _BOOKED | {"state": "DOCTOR_NO_SHOW"}},
    "to_provider": _chat("kanari@sbx", "asha@hpr"),
    "to_consumer": _chat("asha@hpr", "kanari@sbx"),
}
"""The member `message` of each, as JSON, by the name of its leg or path."""


def body_of(name: str) -> dict[str, object]:
    """A copy of one of `BODIES` that may be spoiled."""
    return deepcopy(BODIES[name])


SEARCH_ALL = Search.model_validate(BODIES["search"])
CATALOGUE = OnSearch.model_validate(BODIES["on_search"])
SLOTS_OF_ASHA = Slots.model_validate(BODIES["slots"])
FREE_SLOTS = SlotsFound.model_validate(BODIES["on_search"])
A_CHOICE = Select.model_validate(BODIES["select"])
A_QUOTE = OnSelect.model_validate(BODIES["on_select"])
A_WISH = Init.model_validate(BODIES["init"])
AN_OFFER = OnInit.model_validate(BODIES["on_init"])
AN_AGREEMENT = Confirm.model_validate(BODIES["confirm"])
A_BOOKING = OnConfirm.model_validate(BODIES["on_confirm"])
A_STATUS_QUESTION = Status.model_validate(BODIES["status"])
A_STATUS = OnStatus.model_validate(BODIES["on_status"])
A_CANCELLATION = Cancel.model_validate(BODIES["cancel"])
CANCELLED_ORDER = OnCancel.model_validate(BODIES["on_cancel"])
STARTED = Updated.model_validate(BODIES["on_update"])
NO_DOCTOR = Reported.model_validate(BODIES["reported"])
PATIENT_WRITES = MessageToProvider.model_validate(BODIES["to_provider"])
DOCTOR_WRITES = MessageToConsumer.model_validate(BODIES["to_consumer"])
