"""What we write is strict: the table of required members, and what it finds missing."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from uhi.messages.required import COMMON, CONSULTATION_ONLY, missing

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
COMPLETE = {
    "search": "physical-01-search.first.state-district",
    "slots": "physical-03-search.second",
    "slots_found": "physical-19-on_search.second.many-slots",
    "on_init": "physical-21-on_init.full",
    "on_confirm": "physical-08-on_confirm.confirmed",
    "on_status": "physical-23-on_status.completed.care-context",
    "updated": "physical-24-on_update.to-eua.completed.care-context",
    "cancel": "physical-26-cancel.by-patient.with-reason",
    "on_cancel": "physical-27-on_cancel.by-doctor",
    "on_confirm_audit": "physical-29-on_confirm_audit",
}
SLOT = "$.message.order.fulfillment.tags['@abdm/gov.in/slot_id']"


def _sample(name: str) -> dict:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


@pytest.mark.parametrize(("action", "name"), COMPLETE.items())
def test_a_complete_published_message_lacks_nothing(action, name):
    """NHA Physical Consultation: these samples carry every required member."""
    assert missing(action, _sample(name)) == []


@pytest.mark.parametrize(
    ("action", "name", "paths"),
    [
        ("init", "physical-05-init", [SLOT]),
        ("init", "physical-20-init.with-abha-number", ["$.message.order.payment.type"]),
        (
            "cancel",
            "physical-13-cancel.by-patient.no-reason",
            ["$.message.order.fulfillment.tags['@abdm/gov.in/cancel_reason']"],
        ),
    ],
)
def test_what_published_messages_leave_out_is_found(action, name, paths):
    """NHA's onboarding samples lack members that its own tables require."""
    found = [path for path in missing(action, _sample(name)) if not path.startswith("$.context")]

    assert found == paths


def test_a_context_must_be_complete():
    """UHI, context: ten members always, both parties from the first answer on."""
    absent = missing("status", _sample("physical-09-status"))

    assert absent == ["$.context.country", "$.context.city", "$.context.core_version", "$.context.consumer_uri"]


def test_a_first_search_names_no_provider_and_a_second_does():
    """UHI, context: provider_id and provider_uri are absent in the first search."""
    search = _sample("physical-01-search.first.state-district")

    assert missing("search", search) == []
    assert "$.context.provider_id" in missing("slots", search)


@pytest.mark.parametrize("empty", [None, "", {}, []])
def test_an_empty_member_is_missing(empty):
    """UHI: null, empty text and {} are read as absent."""
    body = _sample("physical-21-on_init.full")
    body["message"]["order"]["terms"] = empty

    assert missing("on_init", body) == ["$.message.order.terms"]


def test_a_member_missing_in_a_list_is_named_with_its_place():
    """Ours: the path leads to the entry."""
    body = _sample("physical-19-on_search.second.many-slots")
    del body["message"]["catalog"]["providers"][0]["items"][1]["price"]

    assert missing("slots_found", body) == ["$.message.catalog.providers[0].items[1].price.value"]


@pytest.mark.parametrize("providers", [[], None])
def test_a_catalogue_without_providers_may_be_sent(providers):
    """UHI: no match is an empty list."""
    body = _sample("physical-19-on_search.second.many-slots")
    body["message"]["catalog"]["providers"] = providers

    assert missing("slots_found", body) == []


def test_rows_of_consultations_hold_for_their_domain_only():
    """UHI, other services: an ambulance has no slot and no doctor."""
    body = _sample("physical-05-init")
    body["context"]["domain"] = "nic2008:86909"

    assert missing("init", body) == []


@pytest.mark.parametrize(("status", "absent"), [("NOT_PAID", ["$.message.order.payment.params.amount"]), ("FREE", [])])
def test_an_amount_is_needed_unless_it_is_free(status, absent):
    """UHI, payment: `amount` is needed unless FREE."""
    body = _sample("physical-08-on_confirm.confirmed")
    body["message"]["order"]["payment"] = {"type": "ON-ORDER", "status": status}

    assert missing("confirm", body) == absent


@pytest.mark.parametrize("required", [True, "true"])
def test_a_reason_is_needed_where_a_term_asks_for_one(required):
    """UHI, terms: `reason` is filled in confirm where `reasonRequired`."""
    body = _sample("physical-08-on_confirm.confirmed")
    for term in body["message"]["order"]["terms"]:
        term.update(reasonRequired=False, reason="")
    body["message"]["order"]["terms"][2]["reasonRequired"] = required

    assert missing("confirm", body) == ["$.message.order.terms[2].reason"]
    assert missing("on_confirm", body) == []


@pytest.mark.parametrize(
    ("state", "kind", "needed"), [("CONFIRMED", "Physical", 5), ("FAILED", "Physical", 0), ("CONFIRMED", "Online", 0)]
)
def test_a_confirmed_visit_carries_its_pin(state, kind, needed):
    """UHI, on_confirm: required when CONFIRMED; teleconsultation has none."""
    body = _sample("physical-08-on_confirm.confirmed")
    order = body["message"]["order"]
    del order["authorization"]
    order["state"], order["fulfillment"]["type"] = state, kind

    absent = missing("on_confirm", body)

    assert len(absent) == needed
    assert all(path.startswith("$.message.order.authorization.") for path in absent)


def test_a_callback_that_says_no_needs_its_context_and_its_error():
    """UHI: type and code are required of an error."""
    body = _sample("physical-21-on_init.full")
    del body["message"]

    assert missing("on_init", {**body, "error": {"code": "40002"}}) == ["$.error.type"]


@pytest.mark.parametrize(
    ("leg", "action"),
    [
        ("updated", "on_update"),
        ("status_news", "on_status"),
        ("cancelled", "on_cancel"),
        ("to_provider", "on_message"),
        ("to_consumer", "on_message"),
        ("on_update_audit", "on_update"),
    ],
)
def test_legs_with_the_same_content_need_the_same(leg, action):
    """Decision 29: an action is a pair of legs; news and answers carry the same."""
    body = {"context": {"domain": "nic2004:85111"}}

    assert missing(leg, body) == missing(action, deepcopy(body)) != []


def test_an_action_outside_the_table_lacks_nothing():
    """Ours: a network's own actions have rules of their own."""
    assert missing("registry_changed", {}) == []


def test_every_row_of_consultations_belongs_to_an_action():
    """Ours: a misspelled key would switch rows off."""
    assert CONSULTATION_ONLY.keys() <= COMMON.keys()
