"""Published messages of UHI: every one is read, nothing of it is lost, and the schemas say the same as the models."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from uhi import messages as m
from uhi.errors import Refusal
from uhi.faults import JSON_INVALID
from uhi.messages.envelope import read, read_receipt
from uhi.messages.lookup import read_lookup_answer
from uhi.messages.wire import Wire, dump
from uhi.strict_json import parse

SAMPLES = Path(__file__).parent / "samples"
SCHEMAS = Path(__file__).parents[2] / "schemas" / "uhi" / "0.7.1"
FILES = sorted(SAMPLES.glob("*/*.json"))
BROKEN = [file for file in FILES if ".invalid-json." in file.name]
VALID = [file for file in FILES if file not in BROKEN]
KINDS: dict[str, type[Wire]] = {
    "search": m.Search,
    "search.second": m.Slots,
    "on_search": m.OnSearch,
    "on_search.second": m.SlotsFound,
    "select": m.Select,
    "on_select": m.OnSelect,
    "init": m.Init,
    "on_init": m.OnInit,
    "confirm": m.Confirm,
    "on_confirm": m.OnConfirm,
    "status": m.Status,
    "on_status": m.OnStatus,
    "on_update": m.Updated,
    "on_update.to-provider": m.Reported,
    "cancel": m.Cancel,
    "on_cancel": m.OnCancel,
    "on_message.to-provider": m.MessageToProvider,
    "on_message.to-consumer": m.MessageToConsumer,
    "on_confirm_audit": m.OnConfirmAudit,
    "on_status_audit": m.OnStatusAudit,
    "on_update_audit": m.OnUpdateAudit,
    "on_cancel_audit": m.OnCancelAudit,
}


def _action(file: Path) -> str:
    """The name of the file's schema: `physical-03-search.second.json` is `search.second`."""
    parts = file.stem.split(".")
    action = parts[0].rsplit("-", 1)[-1].replace("lookup_hspa", "lookup")
    if action == "message" or (action == "on_message" and "to-hspa" in parts):
        return "on_message.to-provider"
    if action == "on_message":
        return "on_message.to-consumer"
    if action == "on_update" and "to-hspa" in parts:
        return "on_update.to-provider"
    return f"{action}.second" if "second" in parts else action


CONVERSATIONS = [file for file in VALID if _action(file) in KINDS]
RECEIPTS = [file for file in VALID if _action(file) in ("ack", "nack")]
LOOKUPS = [file for file in VALID if _action(file) == "lookup"]


def _names(files: list[Path]) -> list[str]:
    return [f"{file.parent.name}/{file.stem}" for file in files]


@cache
def _schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def test_the_index_names_every_sample_and_every_sample_is_used():
    """Ours: a file that is added or lost must not go unnoticed."""
    listed = [row["file"] for index in SAMPLES.glob("*/index.tsv") for row in _rows(index)]

    assert sorted(listed) == sorted(file.name for file in FILES)
    assert sorted(CONVERSATIONS + RECEIPTS + LOOKUPS) == VALID
    assert (len(CONVERSATIONS), len(BROKEN)) == (144, 2)


def _rows(index: Path) -> list[dict[str, str]]:
    with index.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@pytest.mark.parametrize("file", CONVERSATIONS, ids=_names(CONVERSATIONS))
def test_a_published_message_is_read_and_comes_back_the_same(file):
    """Decision 8: no unknown member is lost, no default is invented, numbers stay numbers."""
    value = parse(file.read_bytes())

    envelope = read(value, m.Envelope[KINDS[_action(file)]])

    assert json.dumps(dump(envelope), sort_keys=True) == json.dumps(value, sort_keys=True)
    assert envelope.message is not None


@pytest.mark.parametrize("file", CONVERSATIONS, ids=_names(CONVERSATIONS))
def test_a_published_message_fits_the_schema_of_its_action(file):
    """Ours: other languages get a schema that takes what we take."""
    faults = list(_schema(_action(file)).iter_errors(json.loads(file.read_bytes())))

    assert faults == []


@pytest.mark.parametrize("file", [f for f in CONVERSATIONS if "on_search" in f.name])
def test_no_provider_of_a_published_catalogue_is_skipped(file):
    """Decision 8: skipping is for bad providers only."""
    envelope = read(parse(file.read_bytes()), m.Envelope[m.OnSearch])

    catalog = envelope.message.catalog

    assert catalog.readable
    assert catalog.unreadable == []


@pytest.mark.parametrize("file", BROKEN, ids=_names(BROKEN))
def test_a_published_broken_body_is_refused_as_json(file):
    """README of the samples: both broken files get UHI-1411."""
    with pytest.raises(Refusal) as refused:
        parse(file.read_bytes())

    assert refused.value.fault is JSON_INVALID


@pytest.mark.parametrize("file", RECEIPTS, ids=_names(RECEIPTS))
def test_a_published_receipt_says_what_its_name_says(file):
    """README of the samples: an ACK may carry an error object that is empty or has empty members."""
    receipt = read_receipt(parse(file.read_bytes()))

    refused = _action(file) == "nack"
    assert bool(receipt.accepted) is not refused
    assert (receipt.error is not None) is refused


@pytest.mark.parametrize("file", LOOKUPS, ids=_names(LOOKUPS))
def test_a_published_lookup_is_read(file):
    """Registries in use: one record, a bare list, or a list inside `message`; a gateway's names no subscriber."""
    value = parse(file.read_bytes())

    if ".response" in file.name:
        (record,) = read_lookup_answer(value)
        assert None not in (record.key_id, record.url, record.verification_key, record.ends_at)
        assert record.role == "consumer"
        assert _schema("lookup.record").is_valid(dump(record))
    elif "hspa" in file.name:
        assert dump(read(value, m.ProviderLookup)) == value
    else:
        assert dump(read(value, m.Lookup)) == value
        assert _schema("lookup").is_valid(value)
