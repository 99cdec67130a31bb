"""`uhi outbox`: what waits to be delivered, what was not, and what an operator may do about it. Never a body."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypedDict, Unpack

import click
from sqlalchemy import Connection

from cli.letter_lines import letter_json, letter_lines, letter_rows
from cli.output import json_option, say, say_rows, show, show_problem
from cli.problems import FAILED, Problem
from cli.stored import database_option, with_database
from uhi.clock import SystemClock
from uhi.ports import LetterState
from uhi.storage.sql import outbox_admin
from uhi.storage.sql.database import Database
from uhi.storage.sql.outbox_admin import LetterFilter, LetterRow, count_letters, find_letter, find_letters

Correction = Callable[[str, Connection], str]

_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True)


class ListOptions(TypedDict):
    """What `uhi outbox list` was called with."""

    states: tuple[str, ...]
    to: str
    transaction: str
    limit: int
    url: str
    as_json: bool


@click.group()
def outbox() -> None:
    """Look into the outbox: what waits to be delivered, what was not, and why; send it again, or give it up."""


@outbox.command("list", short_help="List what is not delivered.")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    type=click.Choice([state.value for state in LetterState], case_sensitive=False),
    help="READY, LEASED, DELIVERED, REFUSED, EXPIRED or DEAD; may be given more than once.",
)
@click.option("--to", metavar="ID", default="", help="Only letters to this subscriber.")
@click.option("--transaction", metavar="ID", default="", help="Only letters of this transaction.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="List so many at most.")
@database_option
@json_option
def list_letters(**options: Unpack[ListOptions]) -> None:
    """List letters, the newest first: those that are not delivered, unless a state is given."""
    wanted = LetterFilter(
        states=tuple(LetterState(state.upper()) for state in options["states"]),
        to=options["to"],
        transaction_id=options["transaction"],
        limit=options["limit"],
    )

    async def read(database: Database) -> tuple[list[LetterRow], dict[LetterState, int]]:
        return await database.read(lambda each: (find_letters(each, wanted), dict(count_letters(each, wanted))))

    letters, counts = with_database(options["url"], read)
    value = {
        "ok": True,
        "letters": [letter_json(letter) for letter in letters],
        "counts": {state.value: number for state, number in counts.items()},
    }
    show(value, lambda: _say_letters(letters, counts), as_json=options["as_json"])


@outbox.command("show", short_help="Show all of one letter but its body.")
@click.argument("letter_id", metavar="ID")
@database_option
@json_option
def show_letter(letter_id: str, url: str, as_json: bool) -> None:
    """Show everything that is kept of a letter, but its body and signatures."""

    async def read(database: Database) -> LetterRow | None:
        return await database.read(lambda connection: find_letter(connection, letter_id))

    letter = with_database(url, read)
    if letter is None:
        unknown = Problem("NotFound", "there is no such letter", next_step="uhi outbox list shows what there is")
        show_problem(unknown, as_json=as_json)
        click.get_current_context().exit(FAILED)
    rows = letter_rows(letter, now=SystemClock().now())
    show({"ok": True, "letter": letter_json(letter)}, lambda: say_rows(rows, indent=0), as_json=as_json)


@outbox.command(short_help="Send letters again.")
@_ids
@click.option("--force", is_flag=True, help="Also what was delivered; the receiver answers a repetition with an ACK.")
@database_option
@json_option
def replay(ids: tuple[str, ...], force: bool, url: str, as_json: bool) -> None:
    """Send letters again, at once and from the first attempt: what is DEAD, EXPIRED or REFUSED, or waits.

    What matters to an appointment gets a new deadline. What nobody waits for any more, such as an old search, and what
    has no body any more, cannot be sent again.
    """
    now = SystemClock().now()
    _correct(ids, url, lambda each, connection: outbox_admin.replay(connection, each, now=now, force=force), as_json)


@outbox.command(short_help="Give letters up.")
@_ids
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@json_option
def drop(ids: tuple[str, ...], yes: bool, url: str, as_json: bool) -> None:
    """Give letters up that wait: they end as DEAD, with `dropped` as their last error.

    The receiver is not told. A letter that was dropped can be replayed for as long as its body is kept.
    """
    if not yes:
        number = "this letter" if len(ids) == 1 else f"these {len(ids)} letters"
        click.confirm(f"Give {number} up for good?", abort=True, err=True)
    now = SystemClock().now()
    _correct(ids, url, lambda each, connection: outbox_admin.drop(connection, each, now=now), as_json)


def _correct(ids: tuple[str, ...], url: str, correction: Correction, as_json: bool) -> None:
    """Do the same to each letter; exit code 1 if one of them was left as it is."""

    async def work(database: Database) -> dict[str, str]:
        return {each: await database.write(partial(correction, each)) for each in ids}

    left = with_database(url, work)
    command = click.get_current_context().info_name or ""
    value = {
        "ok": not any(left.values()),
        "letters": [{"id": each, "done": not reason, "reason": reason} for each, reason in left.items()],
    }
    show(value, lambda: _say_corrected(left, command), as_json=as_json)
    if any(left.values()):
        click.get_current_context().exit(FAILED)


def _say_corrected(left: dict[str, str], command: str) -> None:
    done = {"replay": "due now", "drop": "given up"}[command]
    for each, reason in left.items():
        say(each, style="red" if reason else "")
        say(f"  {f'left as it is: {reason}' if reason else done}")


def _say_letters(letters: list[LetterRow], counts: dict[LetterState, int]) -> None:
    if not letters:
        say("no letter fits")
        return
    now = SystemClock().now()
    for letter in letters:
        for line in letter_lines(letter, now=now):
            say(line.text, style=line.style)
    every = sum(counts.values())
    of = ", ".join(f"{state.value} {number:,}" for state, number in counts.items())
    say()
    say(f"{every:,} letters: {of}" if every > 1 else "1 letter")
    if every > len(letters):
        say(f"The newest {len(letters)} are shown; --limit shows more.", style="dim")
