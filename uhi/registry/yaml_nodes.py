"""A YAML file read node by node, so that every mistake is named by file, line and field, and no text changes its type.

Above: `yaml_file`. Plain YAML would read the country `NO` as false, drop a repeated field and guess at dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

from uhi.errors import SetupError

_LONGEST_SHOWN = 60


def read_file(path: Path) -> Field:
    """The content of a YAML file.

    Raises: SetupError when it cannot be read, is no YAML, or holds nothing.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read",
            got=error.strerror or type(error).__name__,
            next_step="check the path, and that you may read the file",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SetupError(f"{path}{where}: this is not YAML", next_step="correct the file") from None
    if node is None:
        raise SetupError(
            f"{path} is empty", expected="a list of members", next_step="uhi registry serve --help shows one"
        )
    return Field(path, "", node)


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the file and where it stands: `place` is the way to it, such as `entry 2, keys[0].public_key`."""

    path: Path
    place: str
    node: yaml.Node

    def fail(self, what: str, *, got: str = "", expected: str = "", next_step: str = "") -> NoReturn:
        """Say what is wrong here.

        Raises: SetupError.
        """
        where = f"{self.path}, line {self.node.start_mark.line + 1}"
        place = f" ({self.place})" if self.place else ""
        raise SetupError(f"{where}{place}: {what}", got=got, expected=expected, next_step=next_step) from None

    def entries(self, name: str) -> list[Field]:
        """The values of a list, each placed as `{name} 1`, `{name} 2`, … or, inside an entry, `name[0]`."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("this is not a list", expected="- …")
        places = [f"{self.place}[{at}]" if self.place else f"{name} {at + 1}" for at in range(len(self.node.value))]
        return [Field(self.path, place, node) for place, node in zip(places, self.node.value, strict=True)]

    def fields(self, *, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Field]:
        """The values of a mapping by name. Empty ones count as absent.

        Raises: SetupError for a missing, unknown or repeated name.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("this is not a set of fields", expected="name: value")
        inside = f"{self.place}{'.' if '[' in self.place else ', '}" if self.place else ""
        found: dict[str, Field] = {}
        for key, value in self.node.value:
            name = str(key.value)
            field = Field(self.path, f"{inside}{name}"[:200], value)
            if "private" in name.lower() or "seed" in name.lower():
                field.fail("private keys do not belong into a registry", next_step="remove it, and make a new key pair")
            if name not in required + optional:
                field.fail("there is no such field", expected=" ".join(required + optional))
            if name in found:
                field.fail("this field is there twice")
            found[name] = field
        present = {name: field for name, field in found.items() if field.node.value != ""}
        for name in required:
            if name not in present:
                self.fail(f"{name} is missing", expected=f"{name}: …")
        return present

    def text(self) -> str:
        """The text of a single value."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("this is not a single value", expected="text")
        return str(self.node.value).strip()

    def texts(self) -> tuple[str, ...]:
        """The texts of a list of single values."""
        return tuple(entry.text() for entry in self.entries(""))

    def shown(self) -> str:
        """The value for an error text, cut short."""
        return ascii(self.text())[:_LONGEST_SHOWN]
