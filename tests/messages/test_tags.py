"""Tags: one name, several spellings."""

from __future__ import annotations

import pytest

from uhi.messages.tags import CANCELLED_BY, SLOT_ID, tag, write_tags
from uhi.messages.values import Agent, Fulfillment
from uhi.messages.wire import dump


@pytest.mark.parametrize("prefix", ["@abdm/gov.in/", "@abdm/gov/in/", "", "./UHI Protocol-0_7_1.", "./dhp-0_7_1."])
def test_a_tag_is_found_in_every_spelling(prefix):
    """Irregularities of the samples: two prefixes, older ones, and none in some services."""
    assert tag({prefix + "slot_id": "s1"}, SLOT_ID) == "s1"


def test_the_spelling_we_write_wins_over_the_others():
    """Ours: where one map holds several spellings, the documented one counts."""
    tags = {"slot_id": "bare", "@abdm/gov/in/slot_id": "older", "@abdm/gov.in/slot_id": "documented"}

    assert tag(tags, SLOT_ID) == "documented"


@pytest.mark.parametrize(
    ("value", "text"), [(9000000022, "9000000022"), (True, "true"), (None, None), ("", None), ({}, None), (["x"], None)]
)
def test_a_tag_is_text_or_absent(value, text):
    """UHI documents text and sends numbers; null and empty text mean absent."""
    assert tag({"contact": value}, "contact") == text


def test_an_empty_tag_does_not_hide_another_spelling():
    """Irregularities: some senders leave an empty one behind."""
    assert tag({"@abdm/gov.in/hpr_id": "", "@abdm/gov/in/hpr_id": "71-1"}, "hpr_id") == "71-1"


def test_no_tags_at_all_means_absent():
    """UHI: tags are optional."""
    assert tag(None, SLOT_ID) is None
    assert tag({}, SLOT_ID) is None


def test_tags_are_written_with_the_documented_prefix():
    """UHI: what is written is `@abdm/gov.in/`."""
    written = write_tags({SLOT_ID: "s1", CANCELLED_BY: None})

    assert written == {"@abdm/gov.in/slot_id": "s1"}


def test_any_json_value_of_a_tag_survives():
    """Decision 8: tag values may be any JSON."""
    value = {"tags": {"a": 1.5, "b": None, "c": [True, {"d": "e"}]}}

    assert dump(Agent.model_validate(value)) == value


def test_register_numbers_lose_the_comma_that_some_senders_append():
    """Irregularities: HPR and HFR numbers end with a comma in 39 published files."""
    agent = Agent.model_validate(
        {"tags": {"@abdm/gov/in/hpr_id": "73-0000-0000-0001,", "@abdm/gov/in/hfr_id": "IN1, "}}
    )

    assert (agent.hpr_id, agent.hfr_id, agent.hip_id) == ("73-0000-0000-0001", "IN1", None)


def test_a_fulfilment_tells_its_slot_and_its_cancellation():
    """UHI: the slot is a tag, and the fulfilment's id; older software spells the reason `cancelReason`."""
    tags = {"@abdm/gov.in/slot_id": "s1", "cancelledby": "patient", "@abdm/gov.in/care_context_id": "c1"}
    tagged = Fulfillment.model_validate({"id": "0", "tags": tags})
    bare = Fulfillment.model_validate({"id": "s2", "tags": {"@abdm/gov.in/cancelReason": "DOCTOR_OTHER"}})

    assert (tagged.slot_id, tagged.cancelled_by, tagged.cancel_reason) == ("s1", "patient", None)
    assert (tagged.care_context_id, bare.care_context_id) == ("c1", None)
    assert (bare.slot_id, bare.cancelled_by, bare.cancel_reason) == ("s2", None, "DOCTOR_OTHER")


@pytest.mark.parametrize(
    ("spelled", "kind"),
    [
        ("Teleconsultation", "Online"),
        ("DIGITAL-OPD", "Online"),
        ("DIGITAL-CONSULTATION", "Online"),
        ("PhysicalConsultation", "Physical"),
        ("Physical-OPD", "Physical"),
        ("physical", "Physical"),
        ("Not Available", "NotAvailable"),
        ("EMERGENCY", "EMERGENCY"),
        ("", None),
        (None, None),
    ],
)
def test_types_of_fulfilment_have_synonyms(spelled, kind):
    """UHI vocabulary: `Online` and `Physical` are canonical, unknown types stay."""
    fulfillment = Fulfillment.model_validate({"type": spelled})

    assert fulfillment.kind == kind
    assert fulfillment.type == spelled
