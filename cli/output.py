"""What the command prints: for people with rich, for programs one JSON object on one line of standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import IO, Any, TypeVar

import click
from rich.console import Console
from rich.text import Text

from cli.problems import Problem
from uhi.errors import SetupError

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH = 80


def json_option(command: F) -> F:
    """Give a command the option `--json`, as its parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(command)


def wants_json(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for JSON, also where it cannot be read otherwise."""
    return "--json" in arguments


def show(value: Mapping[str, object], human: Callable[[], None], *, as_json: bool) -> None:
    """Print a result: `value` as JSON, or what `human` prints."""
    if as_json:
        show_json(value)
    else:
        human()


def show_json(value: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def say(text: str = "", *, style: str = "", to_stderr: bool = False) -> None:
    """Print a line for people. It is never wrapped, so that keys and digests can be copied; `style` is rich's."""
    stream = sys.stderr if to_stderr else sys.stdout
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    console.print(Text(text, style=style), soft_wrap=True)


def say_wrapped(text: str, *, indent: int = 2, style: str = "") -> None:
    """Print a sentence for people on lines of 80 characters; words, such as addresses, stay whole."""
    further = " " * (indent + 2)
    lines = wrap(
        text,
        width=_WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        say(line, style=style)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file for an export, which its owner only may read.

    Raises: SetupError when it is there already or cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
    except OSError as error:
        raise SetupError(
            f"the export {path} cannot be written",
            got=error.strerror or type(error).__name__,
            next_step="name a file that is not there yet",
        ) from None


def plain(text: str) -> str:
    """Text that somebody else chose, without anything that would move the cursor or forge a line."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def say_rows(rows: Iterable[tuple[str, str]], *, indent: int = 2, to_stderr: bool = False) -> None:
    """Print labels and values in two columns; further lines of a value stand below its first."""
    rows = list(rows)
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        for number, line in enumerate(value.split("\n")):
            say(f"{' ' * indent}{'' if number else label:<{width}}  {line}".rstrip(), to_stderr=to_stderr)


def show_problem(problem: Problem, *, as_json: bool) -> None:
    """Print a problem: as JSON on standard output, for people on standard error."""
    if as_json:
        show_json({"ok": False, "error": problem.as_json()})
        return
    say(f"error: {problem.what}", style="bold red", to_stderr=True)
    say_rows(problem.lines(), to_stderr=True)
