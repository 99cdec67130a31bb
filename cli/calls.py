"""`uhi calls`: what a program's call log has of one transaction, or of a subscriber, a day, an outcome."""

from __future__ import annotations

from datetime import date, datetime
from shutil import get_terminal_size
from typing import TypedDict, Unpack

import click

from cli.call_lines import answer_rows, hop_lines, record_rows
from cli.inputs import Moment
from cli.output import json_option, say, say_rows, show, show_problem
from cli.problems import FAILED, Problem
from cli.stored import database_option, with_database
from uhi.observability.timeline import FINE, CallRecord, call_record, hop_json, in_order
from uhi.ports import Hop
from uhi.storage.sql.calls import MOST_OF_A_TRANSACTION, CallFilter, CallPage, find_hops, hops_of
from uhi.storage.sql.database import Database

_ANY_FAILURE = "FAILED"


class CallOptions(TypedDict):
    """What `uhi calls` was called with."""

    transaction: str
    subscriber: str
    day: datetime | None
    outcome: str
    after: str
    limit: int
    url: str
    as_json: bool


@click.command("calls", short_help="Show what the call log has of a transaction.")
@click.argument("transaction", required=False, default="")
@click.option("--subscriber", metavar="ID", default="", help="List hops that this subscriber sent or received.")
@click.option(
    "--day",
    type=Moment(["%Y-%m-%d"], "2026-11-22"),
    metavar="DAY",
    help="List hops of a day in India, such as 2026-11-22.",
)
@click.option(
    "--outcome", metavar="WORD", default="", help="List hops that ended so: ACK, an error type; FAILED for any failure."
)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="List so many at most.")
@click.option("--after", metavar="MARK", default="", help="Go on with the list where the page before ended.")
@database_option
@json_option
def calls(**options: Unpack[CallOptions]) -> None:
    """Show the hops of TRANSACTION as a timeline, and what they come to; or list hops, the newest first.

    \b
    Examples:
      uhi calls 0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d
      uhi calls --subscriber clinic.example --day 2026-11-22 --outcome FAILED
    """
    if not options["transaction"]:
        _list(options)
        return
    if any((options["subscriber"], options["day"], options["outcome"], options["after"])):
        raise click.UsageError("give a transaction, or what to list", click.get_current_context())
    _show_transaction(options)


def _show_transaction(options: CallOptions) -> None:
    transaction = options["transaction"]

    async def read(database: Database) -> list[Hop]:
        return await database.read(lambda connection: hops_of(connection, transaction))

    hops = with_database(options["url"], read)
    if not hops:
        problem = Problem(
            "NotFound",
            "the call log has nothing of this transaction",
            next_step="check the id; what is older than UHI_KEEP_CALLS_DAYS is forgotten",
        )
        show_problem(problem, as_json=options["as_json"])
        click.get_current_context().exit(FAILED)
    record = call_record(hops)
    value = {"ok": True, "record": record.as_json(), "hops": [hop_json(hop) for hop in hops]}
    show(value, lambda: _say_transaction(hops, record), as_json=options["as_json"])


def _say_transaction(hops: list[Hop], record: CallRecord) -> None:
    _say_hops(in_order(hops), with_transaction=False)
    if len(hops) == MOST_OF_A_TRANSACTION:
        say(f"… only the first {len(hops):,} hops are shown and counted", style="yellow")
    say()
    say_rows(record_rows(record), indent=0)
    if record.answers:
        asked = sum(bool(answer.asked) for answer in record.answers)
        answered = sum(bool(answer.answers) for answer in record.answers)
        say()
        say(f"providers: {asked} asked, {answered} answered")
        _say_stacked(answer_rows(record.answers))


def _list(options: CallOptions) -> None:
    is_failure = options["outcome"].upper() == _ANY_FAILURE
    wanted = CallFilter(
        subscriber=options["subscriber"],
        day=_date(options["day"]),
        outcome="" if is_failure else options["outcome"],
        not_outcomes=FINE if is_failure else (),
        after=options["after"],
        limit=options["limit"],
    )

    async def read(database: Database) -> CallPage:
        return await database.read(lambda connection: find_hops(connection, wanted))

    try:
        page = with_database(options["url"], read)
    except LookupError:
        raise click.BadParameter("expected the mark that ended the page before", param_hint="--after") from None
    value = {"ok": True, "hops": [hop_json(hop) for hop in page.hops], "next": page.next}
    show(value, lambda: _say_page(page), as_json=options["as_json"])


def _say_page(page: CallPage) -> None:
    if not page.hops:
        say("no hop fits; list less strictly")
        return
    _say_hops(list(page.hops), with_transaction=True)
    if page.next:
        say()
        say(f"There are more: add --after {page.next}", style="dim")


def _say_hops(hops: list[Hop], *, with_transaction: bool) -> None:
    for line in hop_lines(hops, width=get_terminal_size().columns, with_transaction=with_transaction):
        say(line.text, style=line.style)


def _say_stacked(rows: list[tuple[str, str]]) -> None:
    """Labels and values side by side, or one below the other where the terminal is too narrow."""
    label = max(len(each) for each, _ in rows)
    value = max(len(each) for _, each in rows)
    if 2 + label + 2 + value <= get_terminal_size().columns:
        say_rows(rows)
        return
    for name, text in rows:
        say(f"  {name}")
        say(f"    {text}")


def _date(day: datetime | None) -> date | None:
    return day.date() if day else None
