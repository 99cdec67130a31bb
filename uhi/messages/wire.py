"""What every wire model has in common: nothing is lost, nothing is invented, nothing is shown.

A model keeps unknown members, tells a member that did not come from one that came as null, and remembers a number that
came where text is expected, so that `dump` gives back the JSON value that was read. Above it are UHI's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_ATOMS = frozenset({str, int, float, bool})
"""What goes into JSON as it is. Of these exactly: `NumberText` is a `str`, too."""


class NumberText(str):
    """Text that came as a JSON number: a string for readers, dumped as the number it was."""

    __slots__ = ("number",)
    number: float

    @classmethod
    def of(cls, number: float) -> NumberText:
        """Return the text of a JSON number, remembering the number."""
        text = cls(number)
        text.number = number
        return text


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Annotation: which JSON forms a field accepts, tried left to right, and how the JSON Schema shows them.

    `name` is the error type and `expected` the sentence a refusal carries when no form fits.
    """

    name: str
    expected: str
    forms: tuple[CoreSchema, ...]
    published: JsonSchemaValue

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            list(self.forms), mode="left_to_right", custom_error_type=self.name, custom_error_message=self.expected
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.published)


def _number_text(value: object) -> NumberText:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("text", "text or a number")
    return NumberText.of(value)


STRING = core_schema.str_schema(strict=True)
NUMBER_AS_TEXT = core_schema.no_info_plain_validator_function(_number_text)
_BOOLEAN = core_schema.bool_schema(strict=True)
_INTEGER = core_schema.int_schema(strict=True)

Text = Annotated[str, Reading("text", "text or a number", (STRING, NUMBER_AS_TEXT), {"type": ["string", "number"]})]
"""A string; a number arriving in its place is read as text and remembered."""

Number = Annotated[
    int | str,
    Reading("number", "a number or text", (_INTEGER, STRING, NUMBER_AS_TEXT), {"type": ["number", "string"]}),
]
"""A whole number; text or a fraction arriving in its place is kept as it came."""

Flag = Annotated[
    bool | str,
    Reading(
        "flag", "true, false or text", (_BOOLEAN, STRING, NUMBER_AS_TEXT), {"type": ["boolean", "string", "number"]}
    ),
]
"""A truth value; text (`"true"`) or a number arriving in its place is kept as it came."""

Tags = dict[str, object]
"""Names to JSON values. UHI documents text; numbers occur."""

_T = TypeVar("_T")
Many = Annotated[list[_T], Field(fail_fast=True)]
"""A list that is given up at its first bad entry, so that a hostile list costs one error and not thousands."""


class Wire(BaseModel):
    """A JSON object of UHI. Unknown members are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[None, str]]:
        # Names only: a model printed into a log must not show a patient, a PIN or a message.
        return ((None, name) for name in type(self).model_fields if name in self.model_fields_set)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One entry of a list that does not have the required form, kept as it came so that the rest can be used.

    `path` is the JSON path of the first fault inside `raw`.
    """

    raw: object
    path: str

    def __repr__(self) -> str:
        return f"Unreadable(path={self.path!r})"


def dump(model: Wire) -> dict[str, object]:
    """Return the JSON object a model was read from: members that did not come are absent, numbers are numbers again.

    The result shares nothing with the model. Member order follows the model, not the body that was read.
    """
    return {name: value if type(value) in _ATOMS else _plain(value) for name, value in _members(model)}


def emit(model: Wire) -> dict[str, object]:
    """Return the JSON object to send for a model: as `dump`, without members that are null or empty objects.

    Source: UHI reads these as absent and asks senders to leave them out.
    """
    sent: dict[str, object] = {}
    for name, value in _members(model):
        if type(value) in _ATOMS:
            sent[name] = value
        elif value is not None and (written := _sent(value)) != {}:
            sent[name] = written
    return sent


def truth(value: bool | str | None) -> bool | None:
    """Read a flag: a boolean, or text `true` / `false` in any case; None when it is absent or something else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value


def json_path(location: tuple[int | str, ...]) -> str:
    """Write the place of a field as a JSON path: `("order", "terms", 0)` gives `$.order.terms[0]`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _members(model: Wire) -> list[tuple[str, object]]:
    present = model.model_fields_set
    members = [member for member in model.__dict__.items() if member[0] in present]
    if model.__pydantic_extra__:
        members += model.__pydantic_extra__.items()
    return members


def _plain(value: object) -> object:
    if type(value) in _ATOMS:
        return value
    if isinstance(value, Wire):
        return dump(value)
    if isinstance(value, NumberText):
        return value.number
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return _plain(value.raw) if isinstance(value, Unreadable) else value


def _sent(value: object) -> object:
    if isinstance(value, Wire):
        return emit(value)
    if isinstance(value, list):
        return [entry if type(entry) in _ATOMS else _sent(entry) for entry in value]
    return _plain(value)
