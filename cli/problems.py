"""Whatever went wrong, as the command tells it: what, got, expected, next step, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass

import click

from uhi.errors import Refusal, SetupError, UhiError
from uhi.observability.failures import failure_text

FAILED = 1
USAGE = 2
UNFORESEEN = 70
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `kind` is the name of the error, `code` and `type` those of the wire where a peer would see them."""

    kind: str
    what: str
    got: str = ""
    expected: str = ""
    next_step: str = ""
    code: str = ""
    type: str = ""
    exit_code: int = FAILED

    def as_json(self) -> dict[str, str]:
        """The members that are filled, for `{"ok": false, "error": …}`."""
        names = ("kind", "what", "got", "expected", "next_step", "code", "type")
        return {name: value for name in names if (value := getattr(self, name))}

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each further line, for people."""
        rows = [("got", self.got), ("expected", self.expected), ("next", self.next_step)]
        return [(label, text) for label, text in rows if text]


def problem_of(error: BaseException) -> Problem:
    """The problem behind any error: one of ours, one of click's, an interruption, or one that nobody foresaw."""
    if isinstance(error, UhiError):
        return _ours(error)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, click.Abort) and isinstance(error.__context__, EOFError):
        return Problem(
            "Unanswered",
            "a question was not answered: the input is at its end",
            next_step="run it in a terminal (ssh -t, docker exec -it); where it only asks whether to go on: --yes",
            exit_code=USAGE,
        )
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Problem("Interrupted", "interrupted", exit_code=INTERRUPTED)
    return Problem(
        "Unforeseen",
        f"unforeseen {failure_text(error)}",
        next_step="if the file is yours, run it with python to see the whole error; else please report this line",
        exit_code=UNFORESEEN,
    )


def _ours(error: UhiError) -> Problem:
    fault = error.fault if isinstance(error, Refusal) else None
    return Problem(
        type(error).__name__,
        error.what,
        error.got,
        error.expected,
        error.next_step,
        code=fault.code if fault else "",
        type=fault.type if fault else "",
        exit_code=USAGE if isinstance(error, SetupError) else FAILED,
    )


def _usage(error: click.ClickException) -> Problem:
    context = error.ctx if isinstance(error, click.UsageError) else None
    text = " ".join(error.format_message().split()).removesuffix(".")
    return Problem(
        "Usage",
        text[:1].lower() + text[1:],
        next_step=f"{context.command_path} --help shows how to call it" if context else "",
        exit_code=USAGE,
    )
