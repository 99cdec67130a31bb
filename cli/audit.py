"""`uhi audit`: whether the audit trail is as it was written, what it says, its checkpoints, and a copy of it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypedDict, Unpack

import click

from cli.audit_lines import holder_of, link_json, link_line, link_lines, read_links
from cli.inputs import Moment, read_public_key
from cli.output import json_option, new_file, plain, say, say_rows, show, show_problem
from cli.problems import FAILED, Problem
from cli.stored import database_option, with_database
from uhi.audit import Outcome
from uhi.audit.chain import Head, Link
from uhi.audit.checkpointing import Anchor, Checkpointing, verify_trail
from uhi.audit.checkpoints import Checkpoint, read_checkpoints
from uhi.audit.trail import AuditTrail, Wanted
from uhi.audit.verify import verify as verify_rows
from uhi.clock import SystemClock
from uhi.errors import AuditBroken, SetupError
from uhi.signing.key_files import read_private_key_file
from uhi.storage.sql.database import Database

_LATE = 7_200

_file = click.Path(path_type=Path, dir_okay=False)


class VerifyOptions(TypedDict):
    """What `uhi audit verify` was called with."""

    rows: Path | None
    checkpoints: Path | None
    keys: tuple[str, ...]
    url: str
    as_json: bool


class ListOptions(TypedDict):
    """What `uhi audit list` was called with."""

    actor: str
    action: str
    about: str
    outcome: str
    since: datetime | None
    after: int
    limit: int
    url: str
    as_json: bool


@click.group()
def audit() -> None:
    """Verify and read the audit trail: who did what to which record, when, from where, with what outcome."""


@audit.command(short_help="Say whether the trail is as it was written.")
@click.option("--rows", metavar="FILE", type=_file, help="Verify an export instead of the database.")
@click.option("--checkpoints", metavar="FILE", type=_file, help="Checkpoints, best a copy from another machine.")
@click.option(
    "--key", "keys", metavar="KEY", multiple=True, help="Public half of an audit key: file or text; may be repeated."
)
@database_option
@json_option
def verify(**options: Unpack[VerifyOptions]) -> None:
    """Read the whole trail and name the first row that is not as it was written.

    A row that was changed, removed, put in or moved is found from the rows alone, and so are missing ones at the end,
    unless the database's own head was changed too. Whoever rewrites everything is found by --checkpoints only.

    Exit codes: 0 as it was written, 1 not, 2 called or set up wrongly.
    """
    if options["checkpoints"] and not options["keys"]:
        raise click.UsageError("--checkpoints needs --key: who may sign them", click.get_current_context())
    trusted = [read_public_key(each) for each in options["keys"]]

    def witnesses(trail: str) -> list[Checkpoint]:
        file = options["checkpoints"]
        found = read_checkpoints(file, trusted, trail=trail) if file else []
        if file and not found:
            raise SetupError(f"there is no checkpoint in {file}", next_step="get a whole copy of the file")
        return found

    async def work(database: Database) -> tuple[Head, list[Checkpoint]]:
        known = witnesses(await database.read(holder_of))
        return await verify_trail(AuditTrail(database), [each.witness for each in known]), known

    try:
        if options["rows"]:
            known = witnesses("")
            head = verify_rows(read_links(options["rows"]), witnesses=[each.witness for each in known])
        else:
            head, known = with_database(options["url"], work)
    except AuditBroken as broken:
        _broken(broken, as_json=options["as_json"])
    else:
        _sound(head, known, as_json=options["as_json"])


@audit.command("list", short_help="List rows, the newest first.")
@click.option("--actor", metavar="ID", default="", help="Only what this person, subscriber or program did.")
@click.option("--action", metavar="WORD", default="", help="Only this action; registry. stands for all that begin so.")
@click.option("--about", metavar="RECORD", default="", help="Only what was done to this record.")
@click.option(
    "--outcome", type=click.Choice([each.value for each in Outcome]), default=None, help="Only what ended so."
)
@click.option(
    "--since",
    type=Moment(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], "2026-11-22 or 2026-11-22T09:30:00"),
    metavar="TIME",
    help="Not before, in UTC, such as 2026-11-22.",
)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="List so many at most.")
@click.option("--after", type=click.IntRange(1), metavar="ROW", default=None, help="Go on below this row.")
@database_option
@json_option
def list_rows(**options: Unpack[ListOptions]) -> None:
    """List rows of the trail, the newest first.

    \b
    Examples:
      uhi audit list --action registry. --since 2026-11-22
      uhi audit list --about "subscriber clinic.example"
    """
    since = options["since"]
    wanted = Wanted(
        actor=options["actor"],
        action=options["action"],
        object=options["about"],
        outcome=options["outcome"] or "",
        since=since.replace(tzinfo=UTC).timestamp() if since else None,
    )

    async def read(database: Database) -> list[Link]:
        trail = AuditTrail(database)
        return await trail.rows(after=options["after"] or 0, most=options["limit"], wanted=wanted, newest=True)

    links = with_database(options["url"], read)
    more = links[-1].seq if len(links) == options["limit"] and links[-1].seq > 1 else None
    value = {"ok": True, "rows": [link_json(link) for link in links], "next": more}
    show(value, lambda: _say_links(links, more), as_json=options["as_json"])


@audit.command(short_help="Sign where the trail ends now.")
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    type=_file,
    envvar="UHI_AUDIT_KEY_FILE",
    required=True,
    help="The private audit key; UHI_AUDIT_KEY_FILE, if not given.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=_file,
    envvar="UHI_AUDIT_CHECKPOINT_FILE",
    required=True,
    help="The file that gets the line; UHI_AUDIT_CHECKPOINT_FILE, if not given.",
)
@database_option
@json_option
def checkpoint(key_file: Path, out: Path, url: str, as_json: bool) -> None:
    """Verify the rows since the last checkpoint in the file, and add a new one: how many rows there are, and the newest
    one's hash, signed. Copy the file to another machine; what is there nobody can rewrite here.

    Exit codes: 0 made, 1 the trail is not as it was written, 2 called or set up wrongly.
    """
    key = read_private_key_file(key_file)

    async def work(database: Database) -> Checkpoint:
        anchor = Anchor(out, key, await database.read(holder_of))
        return await Checkpointing(AuditTrail(database), anchor, clock=SystemClock()).make()

    try:
        made = with_database(url, work)
    except AuditBroken as broken:
        _broken(broken, as_json=as_json)
        return

    def human() -> None:
        say(f"Checkpoint at row {made.head.seq:,} added to {out}", style="green")
        say("Next: copy the file to another machine")

    value = {"ok": True, "file": str(out), "seq": made.head.seq, "hash": made.head.hash, "at": made.at, "key": made.key}
    show(value, human, as_json=as_json)


@audit.command(short_help="Write rows as lines of JSON.")
@click.option("--after", type=click.IntRange(0), metavar="ROW", default=0, help="Only rows after this one.")
@click.option(
    "--out", metavar="FILE", type=_file, help="A new file, for its owner only; standard output, if not given."
)
@database_option
def export(after: int, out: Path | None, url: str) -> None:
    """Write every row as one JSON object on a line, the oldest first, for archives and other machines.

    An export from the first row on can be verified without the database: uhi audit verify --rows FILE
    """

    async def work(database: Database) -> int:
        links = AuditTrail(database).each(after=after)
        with _opened(out) as file:
            return await _write(links, file)

    count = with_database(url, work)
    say(f"{count:,} rows written" + (f" to {out}" if out else ""), to_stderr=True)


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[bytes]]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with new_file(out) as file:
        yield file


async def _write(links: AsyncIterator[Link], file: IO[bytes]) -> int:
    count = 0
    async for link in links:
        file.write(link_line(link))
        count += 1
    return count


def _broken(broken: AuditBroken, *, as_json: bool) -> None:
    # What is quoted stood in a file or a row that somebody may have written.
    said = (plain(broken.what), plain(broken.got), plain(broken.expected), broken.next_step)
    problem = Problem("AuditBroken", *said)
    if as_json:
        show({"ok": False, "first_bad_row": broken.seq, "error": problem.as_json()}, lambda: None, as_json=True)
    else:
        show_problem(problem, as_json=False)
        if broken.seq is not None:
            say(f"first bad row: {broken.seq}")
    click.get_current_context().exit(FAILED)


def _sound(head: Head, known: list[Checkpoint], *, as_json: bool) -> None:
    newest = known[-1] if known else None
    value = {
        "ok": True,
        "rows": head.seq,
        "hash": head.hash,
        "checkpoints": len(known),
        "newest_checkpoint": {"seq": newest.head.seq, "at": newest.at} if newest else None,
    }

    def human() -> None:
        say(f"{head.seq:,} rows, each as it was written" if head.seq else "the trail has no rows yet", style="green")
        if newest is None:
            say(
                "Without checkpoints nobody can tell whether all of it was rewritten: --checkpoints, --key", style="dim"
            )
            return
        say_rows([("checkpoints", f"{len(known):,}"), ("newest", f"row {newest.head.seq:,}, {newest.when}")])
        if SystemClock().now() - newest.at > _LATE:
            say("The newest checkpoint is more than two hours old.", style="yellow")

    show(value, human, as_json=as_json)


def _say_links(links: list[Link], more: int | None) -> None:
    if not links:
        say("no row fits; list less strictly")
        return
    for link in links:
        for line in link_lines(link):
            say(plain(line.text), style=line.style)
    if more:
        say()
        say(f"There are more: add --after {more}", style="dim")
