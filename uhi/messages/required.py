"""What a message of ours must carry before it is sent: we read leniently and write strictly.

A table of data, read by `missing`. Source: NHA Physical Consultation v2.0, the rows marked required, and the documents
of the other services where they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from uhi.messages.tags import PREFIX

CONSULTATION = "nic2004:85111"
"""Domain of physical consultation and teleconsultation, whose messages carry more than those of other services."""


@dataclass(frozen=True, slots=True)
class Row:
    """One required member.

    `path` joins members by dots; `[]` stands for each entry of a list (an absent or empty list has none), `#name`
    for a tag, a final `?` lets text be empty. `when` and `unless` name members, seen from the same list entry, and
    the values for which the row holds or does not.
    """

    path: str
    when: tuple[tuple[str, tuple[object, ...]], ...] = ()
    unless: tuple[tuple[str, tuple[object, ...]], ...] = ()


def _rows(start: str, names: str) -> tuple[Row, ...]:
    return tuple(Row(start + name) for name in names.split())


_ORDER, _INTENT, _CHAT = "message.order.", "message.intent.", "message.intent.chat."
_PROVIDERS = "message.catalog.providers[]."
_WINDOW = "start.time.timestamp end.time.timestamp"

_CONTEXT = _rows(
    "context.",
    "domain country city action core_version consumer_id consumer_uri transaction_id message_id timestamp",
)
_BOTH_PARTIES = _CONTEXT + _rows("context.", "provider_id provider_uri")
_FAILURE = _rows("error.", "type code")

_SEARCH = _rows(_INTENT + "fulfillment.", "type " + _WINDOW)
_CATALOG = _rows("message.catalog.descriptor.", "name") + _rows(
    _PROVIDERS,
    "id descriptor.name categories[].id categories[].descriptor.name fulfillments[].id fulfillments[].type items[].id",
)
_PARTIES = _rows(_ORDER, "provider.id item.id fulfillment.id fulfillment.type customer.id") + _rows(
    _ORDER, "item.fulfillment_id billing.name billing.phone billing.address"
)
_TERMS = _rows(_ORDER, "terms terms[].type terms[].descriptor.name terms[].reasonRequired terms[].timePeriod") + _rows(
    _ORDER, "terms[].termsState"
)
_OFFER = _rows(_ORDER, "id quote.price.value payment.type payment.status")
_NEWS = _rows(_ORDER, "id state")
_TALK = (
    *_rows(_CHAT, "sender.person.id sender.person.name receiver.person.id receiver.person.name time.timestamp"),
    *_rows(_CHAT + "content.", "content_id content_value content_type"),
    Row(_CHAT + "content.content_mimeType", when=((_CHAT + "content.content_type", ("media",)),)),
    Row(_CHAT + "content.content_fileName", when=((_CHAT + "content.content_type", ("media",)),)),
)

COMMON: dict[str, tuple[Row, ...]] = {
    "search": _SEARCH,
    "on_search": _CATALOG,
    "slots": _SEARCH + _rows(_INTENT + "provider.", "id fulfillments"),
    "slots_found": _CATALOG,
    "select": _rows(_ORDER, "provider.id item.id"),
    "on_select": _rows(_ORDER, "provider.id item.id quote.price.value"),
    "init": _PARTIES,
    "on_init": _PARTIES + _OFFER + _TERMS,
    "confirm": (
        *_PARTIES,
        *_OFFER,
        *_TERMS,
        Row(_ORDER + "payment.params.amount", unless=((_ORDER + "payment.status", ("FREE",)),)),
        Row(_ORDER + "terms[].reason", when=(("reasonRequired", (True, "true")),)),
    ),
    "on_confirm": _PARTIES + _OFFER + _NEWS + _TERMS,
    "status": _rows(_ORDER, "id"),
    "on_status": _NEWS,
    "on_update": _NEWS,
    "reported": _NEWS,
    "cancel": _NEWS,
    "on_cancel": _NEWS,
    "on_message": _TALK,
}
"""What holds for every service, by the name of the action's leg; legs with the same content share a row (`_SAME`)."""

_SAME = {
    "updated": "on_update",
    "status_news": "on_status",
    "cancelled": "on_cancel",
    "to_provider": "on_message",
    "to_consumer": "on_message",
}

_VISIT = _rows(_ORDER + "fulfillment.", "agent.id " + _WINDOW)
_CHOICE = _rows(_ORDER, "item.descriptor.code item.descriptor.name fulfillment.agent.name fulfillment.tags.#slot_id")
_DOCTORS = _rows(_PROVIDERS, "items[].price.value items[].fulfillment_id") + _rows(
    _PROVIDERS + "fulfillments[].", "agent.id agent.name " + _WINDOW
)
_CANCELLED = _rows(_ORDER + "fulfillment.tags.", "#cancelledby #cancel_reason")
_WHOLE = _rows(_ORDER, "provider.id item.id fulfillment.id fulfillment.type payment.type payment.status")
_BOOKED = (
    (_ORDER + "state", ("CONFIRMED",)),
    (_ORDER + "fulfillment.type", ("Physical",)),
)
_PIN = tuple(
    Row(f"{_ORDER}authorization.{name}", when=_BOOKED) for name in ("type", "token", "valid_from", "valid_to", "status")
)

CONSULTATION_ONLY: dict[str, tuple[Row, ...]] = {
    "search": _rows(_INTENT + "item.descriptor.", "code name"),
    "on_search": _DOCTORS,
    "slots": _rows(_INTENT, "item.descriptor.code fulfillment.agent.id provider.fulfillments[].agent.id"),
    "slots_found": _DOCTORS,
    "init": _VISIT + _CHOICE + _rows(_ORDER, "payment.type"),
    "on_init": _VISIT + _CHOICE,
    "confirm": _VISIT + _CHOICE,
    "on_confirm": (
        *_VISIT,
        *_CHOICE,
        Row(_ORDER + "fulfillment.tags.#messaging_support", when=_BOOKED[:1]),
        Row(_ORDER + "fulfillment.tags.#helpline_number?", when=_BOOKED[:1]),
        *_PIN,
    ),
    "on_status": _WHOLE + _VISIT + _rows(_ORDER, "billing.name quote.price.value customer.id terms"),
    "on_update": _WHOLE + _VISIT,
    "reported": _VISIT + _rows(_ORDER, "item.id fulfillment.id fulfillment.type"),
    "cancel": _CANCELLED,
    "on_cancel": _WHOLE + _VISIT + _CANCELLED,
}
"""What holds for consultations besides."""


def missing(action: str, body: Mapping[str, object]) -> list[str]:
    """Return the JSON paths of members that a body of ours lacks or has empty, in the table's order.

    `action` is the name of a leg of `uhi.actions`, or of its path; an audit copy (`on_x_audit`) counts as `on_x`,
    and `on_update` as the provider's. `body` is the whole body, context included; one with an error and no message
    needs only its context and the error's type and code. Empty are null, empty text, `{}` and `[]`. An action
    outside the table lacks nothing.
    """
    action = action.removesuffix("_audit")
    action = _SAME.get(action, action)
    if action not in COMMON:
        return []
    is_failure = bool(body.get("error") and not body.get("message"))
    is_consultation = _member(body, "context.domain") == CONSULTATION
    if all(_has_all(part, body) for part in _parts(action, is_failure, is_consultation)):
        return []
    # Rarely: now every place is named.
    rows = _rows_for(action, is_failure, is_consultation)
    return list(dict.fromkeys(path for row in rows for path in _lacking(row, body)))


def _rows_for(action: str, is_failure: bool, is_consultation: bool) -> tuple[Row, ...]:
    rows = _CONTEXT if action == "search" else _BOTH_PARTIES
    if is_failure:
        return rows + _FAILURE
    return rows + COMMON[action] + (CONSULTATION_ONLY.get(action, ()) if is_consultation else ())


@dataclass(frozen=True, slots=True)
class _Leaf:
    """What must be there of one member: itself (`is_needed`; text only where not `may_be_empty`), and members of it."""

    name: str
    is_needed: bool
    may_be_empty: bool
    inner: tuple[_Leaf, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that hold for the same entries on the same condition, as one tree of members; `row` is any of them."""

    lists: tuple[str, ...]
    row: Row
    leaves: tuple[_Leaf, ...]


@cache
def _parts(action: str, is_failure: bool, is_consultation: bool) -> tuple[_Part, ...]:
    parts: dict[tuple[object, ...], list[Row]] = {}
    for row in _rows_for(action, is_failure, is_consultation):
        *lists, _ = row.path.split("[].")
        parts.setdefault((*lists, row.when, row.unless), []).append(row)
    return tuple(_part(rows) for rows in parts.values())


def _part(rows: list[Row]) -> _Part:
    *lists, _ = rows[0].path.split("[].")
    paths = [row.path.split("[].")[-1] for row in rows]
    return _Part(tuple(lists), rows[0], _leaves([_names(path) for path in paths]))


def _leaves(paths: list[tuple[str, ...]]) -> tuple[_Leaf, ...]:
    """The tree of these paths; a name that ends with `?` may hold empty text, unless it stands without one too."""
    inner: dict[str, list[tuple[str, ...]]] = {}
    may_be_empty: dict[str, bool] = {}
    for first, *rest in paths:
        name = first.removesuffix("?")
        inner.setdefault(name, [])
        if rest:
            inner[name].append(tuple(rest))
        else:
            may_be_empty[name] = may_be_empty.get(name, True) and first != name
    return tuple(
        _Leaf(name, name in may_be_empty, may_be_empty.get(name, False), _leaves(found))
        for name, found in inner.items()
    )


def _has_all(part: _Part, body: Mapping[str, object]) -> bool:
    """Whether no row of the part lacks anything: what `_lacking` would find, without the names of places."""
    return all(_has(part.leaves, entry) for entry in _values(body, part.lists) if _applies(part.row, entry))


def _has(leaves: tuple[_Leaf, ...], node: object) -> bool:
    if not isinstance(node, Mapping):
        return False
    for leaf in leaves:
        value = node.get(leaf.name)
        if leaf.is_needed and _is_absent(value, may_be_empty=leaf.may_be_empty):
            return False
        if leaf.inner and not _has(leaf.inner, value):
            return False
    return True


def _values(body: object, lists: tuple[str, ...]) -> Iterable[object]:
    nodes = [body]
    for path in lists:
        found = [_member(node, path) for node in nodes]
        nodes = [entry for each in found if isinstance(each, list) for entry in each]
    return nodes


def _lacking(row: Row, body: Mapping[str, object]) -> Iterator[str]:
    *lists, leaf = row.path.split("[].")
    may_be_empty = leaf.endswith("?")
    leaf = leaf.removesuffix("?")
    for place, entry in _entries(body, lists):
        if _applies(row, entry) and _is_absent(_member(entry, leaf), may_be_empty=may_be_empty):
            yield place + _spelled(leaf)


def _entries(body: object, lists: list[str]) -> Iterator[tuple[str, object]]:
    if not lists:
        yield "$", body
        return
    for place, entry in _entries(body, lists[:-1]):
        found = _member(entry, lists[-1])
        for index, value in enumerate(found if isinstance(found, list) else ()):
            yield f"{place}{_spelled(lists[-1])}[{index}]", value


def _applies(row: Row, entry: object) -> bool:
    wanted = all(_member(entry, path) in values for path, values in row.when)
    return wanted and not any(_member(entry, path) in values for path, values in row.unless)


def _member(node: object, path: str) -> object:
    for name in _names(path):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


@cache
def _names(path: str) -> tuple[str, ...]:
    return tuple(map(_name, path.split(".")))


def _name(part: str) -> str:
    return PREFIX + part[1:] if part.startswith("#") else part


def _spelled(path: str) -> str:
    return "".join(f"['{_name(part)}']" if part.startswith("#") else f".{part}" for part in path.split("."))


def _is_absent(value: object, *, may_be_empty: bool) -> bool:
    if type(value) is str:
        return not value and not may_be_empty
    return value is None or value in ({}, []) or (value == "" and not may_be_empty)
