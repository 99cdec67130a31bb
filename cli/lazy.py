"""A group of commands that loads a command's module when the command is called, not before.

So `uhi sign` does not pay for an HTTP server, and a module that cannot be loaded spoils only its own command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from uhi.errors import SetupError

SELDOM = (50_000, 20, 100)
"""How seldom garbage is looked for: what a command loads stays, and looking through it is an eighth of its start."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is found (`cli.sign:sign`), and its line in the list of commands."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """A click group over a table of commands by name, listed in the table's order."""

    def __init__(self, *args: Any, table: Mapping[str, Lazy], **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command, or None where the table has no such name.

        Raises: SetupError when its module is not installed.
        """
        lazy = self.table.get(cmd_name)
        return None if lazy is None else _load(cmd_name, lazy)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a wrong name is answered with the one that was probably meant."""
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            near = get_close_matches(name, self.table, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(self.table)}"
            raise click.UsageError(f"no such command: {name}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self.table.items()])


def _load(name: str, lazy: Lazy) -> click.Command:
    module, _, attribute = lazy.target.partition(":")
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        raise SetupError(
            f"the command {name} cannot be loaded",
            got=f"no module {error.name}",
            next_step="install the whole of it: pip install 'uhi-network[all]'",
        ) from None
    command: click.Command = getattr(loaded, attribute)
    return command
