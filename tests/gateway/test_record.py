"""What a gateway writes down of messages: the category of a search in words of ours, the stage an order has reached."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.record import category_of, describe, stage_hop
from gateway.relays import RELAYED_ON_SEARCH, RELAYED_SEARCH, RelayedCatalog, RelayedSearch
from gateway.specialities import WORDS, known_word
from uhi.actions import ON_CANCEL_AUDIT, ON_CONFIRM_AUDIT, ON_STATUS_AUDIT, ON_UPDATE_AUDIT, Leg
from uhi.exchange.receive import Received
from uhi.messages.wire import Wire
from uhi.ports import Description, Direction, Hop
from uhi.subscribers import Audience, Role, Subscriber
from uhi.testing import verified
from uhi.testing.clock import START
from uhi.verified import Admission, _Proof

DOMAIN = "nic2004:85111"
CANARY = "Priya Sharma"
AUDITS = [ON_CONFIRM_AUDIT, ON_STATUS_AUDIT, ON_UPDATE_AUDIT, ON_CANCEL_AUDIT]


def received(leg: Leg[Wire], message: Wire, *, sender: Role = Role.CONSUMER) -> Received:
    return Received(leg, verified(message, sender=sender, action=leg.path), "row-1")


def copied(leg: Leg[Wire], order: dict[str, object]) -> Received:
    return received(leg, leg.kind.model_validate({"order": order}), sender=Role.PROVIDER)


def test_search_tells_the_registered_address_of_the_consumer_and_the_category():
    """FRS BR-008: EUA URI, search category; the address is the registry's (decision 3)."""
    intent = {"fulfillment": {"type": "Physical"}, "category": {"descriptor": {"code": "CARDIOLOGY"}}}

    told = describe(received(RELAYED_SEARCH, RelayedSearch(intent=intent)))

    assert told == Description("https://app.example", "nic2004:85111 Physical CARDIOLOGY", "requested")


def test_answer_tells_the_address_of_the_consumer_it_goes_to():
    """FRS BR-008: EUA URI, response provided."""
    consumer = Subscriber("app.example", Role.CONSUMER, "https://app.example/uhi")
    came = received(RELAYED_ON_SEARCH, RelayedCatalog(catalog={}), sender=Role.PROVIDER)
    admission = Admission(audience=Audience.of([consumer]))
    passed_on = replace(came, message=replace(came.message, admission=admission, proof=_Proof()))

    assert describe(passed_on) == Description("https://app.example/uhi", stage="responded")


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("CONFIRMED", "confirmed"),
        ("BOOKED", "confirmed"),
        ("FAILED", "failed"),
        ("APPOINTMENT_STARTED", "rendered"),
        ("COMPLETED", "rendered"),
        ("completed", "rendered"),
        ("CANCELLED", "cancelled"),
        ("NO_SHOW", "missed"),
        ("DOCTOR_NO_SHOW", "missed"),
        ("PROCESSING", ""),
        (CANARY, ""),
        (None, ""),
    ],
)
def test_audit_copy_tells_the_stage_of_its_order(state, stage):
    """FRS BR-008: confirmed, rendered; states of NHA Physical Consultation v2.0 and its older examples."""
    order = {"id": "o-1"} if state is None else {"id": "o-1", "state": state}

    assert [describe(copied(audit.leg, order)).stage for audit in AUDITS] == [stage] * 4


def test_note_of_an_audit_copy_is_a_hop_with_its_stage():
    """Ours: written with the end of the copy's row in the journal, so it is not lost."""
    came = copied(ON_CONFIRM_AUDIT.leg, {"id": "o-1", "state": "CONFIRMED"})

    assert stage_hop(came, gateway_id="gateway.example", now=START + 0.5) == Hop(
        at=START,
        direction=Direction.IN,
        sender="clinic.example",
        receiver="gateway.example",
        action="on_confirm_audit",
        transaction_id="t-1",
        message_id=came.message.context.message_id,
        outcome="noted",
        status=200,
        ms=500.0,
        stage="confirmed",
    )


def test_note_holds_nothing_of_the_order():
    """Rules on the call log: metadata only."""
    order = {"id": CANARY, "state": "CONFIRMED", "customer": {"person": {"name": CANARY}}, "billing": {"name": CANARY}}

    assert CANARY not in repr(stage_hop(copied(ON_CONFIRM_AUDIT.leg, order), gateway_id="g", now=START))


@pytest.mark.parametrize(
    ("intent", "category"),
    [
        ({}, ""),
        ({"fulfillment": {"type": "Teleconsultation"}}, "Online"),
        ({"fulfillment": {"type": "PhysicalConsultation"}}, "Physical"),
        ({"fulfillment": {"type": "BloodStock"}}, "other"),
        ({"category": {"descriptor": {"name": "ent"}}}, "ENT"),
        ({"category": {"descriptor": {"code": "x1", "name": "General Medicine"}}}, "GENERAL_MEDICINE"),
        ({"category": {"descriptor": {"code": "OBSTETRICS & GYNECOLOGY"}}}, "OBSTETRICS_AND_GYNAECOLOGY"),
        ({"item": {"descriptor": {"code": "Consultation", "name": "Consultation"}}}, "CONSULTATION"),
        ({"item": {"descriptor": {"code": "x"}}, "category": {"descriptor": {"code": "UROLOGY"}}}, "UROLOGY"),
        ({"category": {"descriptor": {"code": "TELEPATHY"}}}, "other"),
    ],
)
def test_category_is_the_kind_and_the_speciality_or_item(intent, category):
    """FRS BR-008: search category."""
    assert category_of(DOMAIN, intent) == f"{DOMAIN} {category}".strip()


PLACES = [
    {"category": {"descriptor": {"code": "{}", "name": "{}"}}},
    {"category": {"descriptor": {"code": "CARDIOLOGY", "name": "{}"}}},
    {"category": {"descriptor": {"name": "{}"}}},
    {"item": {"descriptor": {"code": "{}", "name": "{}"}}},
    {"fulfillment": {"type": "{}", "agent": {"name": "{}", "id": "{}"}}},
    {"provider": {"id": "{}", "descriptor": {"name": "{}"}}, "descriptor": {"name": "{}"}},
    {"location": {"gps": "{}", "city": {"name": "{}"}}, "tags": {"{}": "{}"}},
    {"{}": {"{}": "{}"}},
]


@pytest.mark.parametrize("typed", [CANARY, "9876543210", "priya@abdm", "cardiology for priya", "CARDIOLOGY_PRIYA"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: next(iter(place)))
def test_what_somebody_typed_is_never_in_the_category(place, typed):
    """Rules on the call log: metadata only; an app may put a patient's words into any field, codes included."""
    intent = json.loads(json.dumps(place).replace("{}", typed))

    words = category_of(DOMAIN, intent).split()

    assert set(words) <= {DOMAIN, "other", "CARDIOLOGY"}


@pytest.mark.parametrize("domain", ["d" * 65, "two words", "a\nb", "डोमेन", "\ud800"])
def test_domain_that_no_registry_lists_is_not_repeated(domain):
    """Ours: bounded and printable, whatever a peer calls its domain."""
    assert category_of(domain, {}) == "other"


@pytest.mark.parametrize("odd", [None, [], "text", 1, {"descriptor": []}, {"descriptor": {"code": ["CARDIOLOGY"]}}])
def test_intent_of_any_form_has_a_category(odd):
    """Ours: the gateway reads an intent and never refuses one for what it does not understand."""
    assert category_of(DOMAIN, {"category": odd, "item": odd, "fulfillment": odd}) == DOMAIN


def test_every_word_is_its_own_spelling():
    """Ours: the table holds what `known_word` makes of a text, else a word would never be found."""
    assert {word for word in WORDS if known_word(word) != word} == set()
    assert known_word("CARDIOLOGY" + " " * 60) == ""
