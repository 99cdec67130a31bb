"""Names, codes and texts by which everything in UHI is described."""

from __future__ import annotations

from typing import Annotated

from pydantic_core import core_schema

from uhi.messages.wire import STRING, Flag, Reading, Text, Wire

Images = Annotated[
    str | list[object],
    Reading(
        "images",
        "text or a list",
        (STRING, core_schema.list_schema(strict=True)),
        {"anyOf": [{"type": "string"}, {"type": "array"}]},
    ),
]
"""One image as text (what NHA's examples have) or a list of them (what its schema says)."""


class Descriptor(Wire):
    """How something is named, coded and described. The meaning of `flag` differs per service."""

    name: Text | None = None
    code: Text | None = None
    symbol: Text | None = None
    short_desc: Text | None = None
    long_desc: Text | None = None
    images: Images | None = None
    flag: Flag | None = None
