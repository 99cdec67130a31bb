"""A data file: a name, and lists of entries, in YAML. Every mistake is a SetupError that names file, line and place.

Below: the YAML nodes of the library; above: `origin`. The files in the `demo` folders of the participants show the
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from uhi.listing.entries import Entry, Table
from uhi.registry.yaml_nodes import Field, read_file

T = TypeVar("T")

_HEADING = ("short_desc", "long_desc", "image")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was read: its own fields, and its lists."""

    fields: Mapping[str, Field]

    def text(self, name: str) -> str:
        """A field of the file itself, empty if absent."""
        return self.fields[name].text() if name in self.fields else ""

    def entries(self, table: Table[T]) -> tuple[T, ...]:
        """The entries of one list.

        Raises: SetupError naming file, line and place of the first mistake.
        """
        known = {column: self._ids(other) for column, other in table.refers}
        seen: set[tuple[str, ...]] = set()
        found = []
        for node in self.fields[table.name].entries(""):
            fields = node.fields(required=table.required, optional=table.optional)
            entry = _entry(node, fields)
            key = tuple(entry.text(name) for name in table.once)
            if key in seen:
                node.fail("this is there twice", got=" ".join(key)[:60], next_step="remove one of them")
            seen.add(key)
            for column, ids in known.items():
                if entry.text(column) not in ids:
                    fields[column].fail("there is no entry of this id", got=fields[column].shown())
            found.append(table.read(entry))
        return tuple(found)

    def _ids(self, name: str) -> frozenset[str]:
        entries = self.fields[name].entries("") if name in self.fields else []
        pairs = (pair for entry in entries if isinstance(entry.node, yaml.MappingNode) for pair in entry.node.value)
        return frozenset(str(value.value).strip() for key, value in pairs if key.value == "id")


def read_data(path: Path, *lists: str) -> DataFile:
    """Return a data file with these lists; they are read when they are asked for.

    Raises: SetupError when it cannot be read, or holds something else.
    """
    return DataFile(read_file(path).fields(required=("name", *lists), optional=_HEADING))


def _entry(node: Field, fields: Mapping[str, Field]) -> Entry:
    def fail(column: str, what: str, expected: str) -> NoReturn:
        field = fields.get(column, node)
        field.fail(what, got=field.shown() if column in fields else "", expected=expected)

    return Entry({name: field.text() for name, field in fields.items()}, fail)
