"""A whole body: context with a message or an error, and how parsed JSON becomes one.

Above it are the exchange and its actions, below it context and messages. `read` is the only way from JSON to a model
and turns every fault into a refusal that names the field and quotes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages.context import Context
from uhi.messages.receipt import ACK, Error, Receipt, Verdict, nack, read_receipt
from uhi.messages.wire import Wire, json_path

__all__ = ["ACK", "Envelope", "Error", "Receipt", "Verdict", "nack", "read", "read_receipt"]

M = TypeVar("M")
W = TypeVar("W", bound=Wire)

_EXPECTED = {
    "missing": "a value",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "list_type": "a list",
    "string_type": "text",
    "string_pattern_mismatch": "the documented form",
    "text": "text or a number",
    "number": "a number or text",
    "flag": "true, false or text",
    "images": "text or a list",
    "amount": "up to 9 digits with at most 4 decimals, as text",
    "twin": "one spelling of each name of the context",
}


class Envelope(Wire, Generic[M]):
    """A body as it travels. A callback may carry an error and no message."""

    context: Context
    message: M | None = None
    error: Error | None = None


def read(value: object, kind: type[W]) -> W:
    """Make a model of a parsed JSON body: `Envelope[Init]`, or a message without context such as `Lookup`.

    In an envelope, a message `{}` beside an error counts as no message. Unknown members are kept.

    Raises:
        Refusal: the body is no object, a member does not have its form, or an envelope has neither message nor error;
            `path` is the JSON path of the first fault. No value of the body is quoted.
    """
    if isinstance(value, dict) and value.get("error") and value.get("message") == {}:
        value = {**value, "message": None}
    try:
        model = kind.model_validate(value)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_input=False)[0]) from None
    if isinstance(model, Envelope) and model.message is None and (model.error is None or model.error.is_empty):
        raise Refusal(MESSAGE_INVALID, "$.message is missing", expected="a message or an error", path="$.message")
    return model


def _refusal(fault: ErrorDetails) -> Refusal:
    place, kind = fault["loc"], fault["type"]
    details: Mapping[str, object] = fault.get("ctx", {})
    if kind == "twin":
        place = (*place, str(details["field"]))
    path = json_path(place)
    what = f"{path} is missing" if kind == "missing" else f"{path} does not have the required form"
    return Refusal(MESSAGE_INVALID, what, expected=_EXPECTED.get(kind, "the documented form"), path=path)
