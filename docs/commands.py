"""The page of the command `uhi` as `docs/generate.py` writes it: the help of every command, as it prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cli.main import main as command

WIDTH = 100


def cli_page() -> str:
    """The help of every command."""
    context = click.Context(command, info_name="uhi", terminal_width=WIDTH, **command.context_settings)
    return (
        "# The command `uhi`\n\nWith `--json` a command prints one JSON object instead of text, its errors too. "
        "Exit codes: 0 done, 1 failed, 2 called or set up wrongly, 70 unforeseen, 130 interrupted.\n\n"
        + "\n".join(_help(command, context, 2))
    )


def _help(each: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} {context.command_path}\n\n```text\n{each.get_help(context)}\n```\n"
    if isinstance(each, click.Group):
        for name in each.list_commands(context):
            below = each.get_command(context, name)
            if below is not None:
                yield from _help(below, click.Context(below, info_name=name, parent=context), depth + 1)
