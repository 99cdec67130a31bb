"""Writes the JSON Schemas of the messages from their models: `python -m schemas.generate [--check]`.

One file per action under `uhi/0.7.1`, and `required.json`, the table of what a sender must fill in. With `--check`
nothing is written, and the exit code is 1 if a file differs from what would be written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from uhi import messages as m
from uhi.messages.required import COMMON, CONSULTATION, CONSULTATION_ONLY, Row
from uhi.messages.wire import Wire

FOLDER = Path(__file__).parent / "uhi" / "0.7.1"
LINE = 110
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Entry:
    """One schema: the body's model, and whether an error may stand in place of the message."""

    kind: type[Wire]
    about: str
    may_fail: bool = False


def _callback(kind: type[Wire], about: str) -> Entry:
    return Entry(kind, about, may_fail=True)


ENTRIES: dict[str, Entry] = {
    "search": Entry(m.Envelope[m.Search], "First search, consumer to gateway to providers."),
    "search.second": Entry(m.Envelope[m.Slots], "Second search, consumer to one provider: free slots of a doctor."),
    "on_search": _callback(m.Envelope[m.OnSearch], "Answer to a first search, through the gateway."),
    "on_search.second": _callback(m.Envelope[m.SlotsFound], "Answer to a second search, one fulfilment per slot."),
    "select": Entry(m.Envelope[m.Select], "Consumer to provider: a quote without a hold. NHA's network has it off."),
    "on_select": _callback(m.Envelope[m.OnSelect], "Provider to consumer: the quote."),
    "init": Entry(m.Envelope[m.Init], "Consumer to provider: hold a slot."),
    "on_init": _callback(m.Envelope[m.OnInit], "Provider to consumer: order id, quote and terms of a held slot."),
    "confirm": Entry(m.Envelope[m.Confirm], "Consumer to provider: the offer is accepted, the terms are agreed."),
    "on_confirm": _callback(m.Envelope[m.OnConfirm], "Provider to consumer: booked, with a PIN, or failed."),
    "status": Entry(m.Envelope[m.Status], "Consumer to provider: how does the order stand?"),
    "on_status": _callback(m.Envelope[m.OnStatus], "Provider to consumer: how the order stands, asked or unasked."),
    "on_update": Entry(m.Envelope[m.Updated], "Provider to consumer: started, completed, patient did not come."),
    "on_update.to-provider": Entry(m.Envelope[m.Reported], "Consumer to provider: the doctor did not come."),
    "cancel": Entry(m.Envelope[m.Cancel], "Consumer to provider: the patient cancels."),
    "on_cancel": _callback(m.Envelope[m.OnCancel], "Provider to consumer: cancelled, by the patient or the facility."),
    "on_message.to-provider": Entry(m.Envelope[m.MessageToProvider], "Chat, consumer to provider."),
    "on_message.to-consumer": Entry(m.Envelope[m.MessageToConsumer], "Chat, provider to consumer."),
    "on_confirm_audit": _callback(m.Envelope[m.OnConfirmAudit], "Copy of on_confirm, provider to gateway."),
    "on_status_audit": _callback(m.Envelope[m.OnStatusAudit], "Copy of on_status, provider to gateway."),
    "on_update_audit": _callback(m.Envelope[m.OnUpdateAudit], "Copy of the provider's on_update, to the gateway."),
    "on_cancel_audit": _callback(m.Envelope[m.OnCancelAudit], "Copy of on_cancel, provider to gateway."),
    "lookup": Entry(m.Lookup, "Question to the registry: who is this subscriber, and what is its key?"),
    "lookup.record": Entry(m.LookupRecord, "One record of the registry's answer."),
    "lookup.providers": Entry(m.ProviderLookup, "Question of a gateway to the registry: who serves this domain?"),
}
"""Every schema by the name of its file."""


class _Plain(GenerateJsonSchema):
    """Without a title per member and null as a default, which only repeat what stands beside them; null as a type."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        return {name: value for name, value in shown.items() if not (name == "default" and value is None)}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        kinds = inner.get("type")
        if kinds is None:
            return super().nullable_schema(schema)
        return {**inner, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}


def build() -> dict[str, str]:
    """Return every generated file's text by its name."""
    files = {f"{name}.json": _text(_schema(name, entry)) for name, entry in ENTRIES.items()}
    return {**files, "required.json": _text(_required())}


def stale(files: dict[str, str]) -> list[str]:
    """Return the names of files that are missing, differ, or are not generated any more."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them with `--check`. Returns the exit code."""
    files = build()
    changed = stale(files)
    if "--check" in arguments:
        for name in changed:
            print(f"schemas/uhi/0.7.1/{name} is stale; run python -m schemas.generate")
        return 1 if changed else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (FOLDER / name).write_text(files[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"{len(files)} schemas, {len(changed)} changed")
    return 0


def _schema(name: str, entry: Entry) -> dict[str, object]:
    schema = entry.kind.model_json_schema(schema_generator=_Plain)
    head = {"$schema": DIALECT, "$id": f"urn:uhi-network:uhi:0.7.1:{name}", "title": name, "description": entry.about}
    schema = {**head, **{key: value for key, value in schema.items() if key not in head}}
    if issubclass(entry.kind, m.Envelope):
        either = {"anyOf": [{"required": ["message"]}, {"required": ["error"]}]}
        schema |= either if entry.may_fail else {"required": ["context", "message"]}
    return schema


def _required() -> dict[str, object]:
    return {
        name: [_row(row) for row in rows] + [_row(row, domain=CONSULTATION) for row in CONSULTATION_ONLY.get(name, ())]
        for name, rows in COMMON.items()
    }


def _row(row: Row, *, domain: str = "") -> dict[str, object]:
    shown: dict[str, object] = {"path": row.path, "when": dict(row.when), "unless": dict(row.unless), "domain": domain}
    return {name: value for name, value in shown.items() if value}


def _text(value: object) -> str:
    return _layout(value, "") + "\n"


def _layout(value: object, indent: str) -> str:
    # What fits on a line stays on it: a file is a third as long as with one member per line, and reads like a table.
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= LINE or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name, ensure_ascii=False)}: {_layout(entry, inner)}" for name, entry in value.items()]
    else:
        parts = [_layout(entry, inner) for entry in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
