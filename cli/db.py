"""`uhi db`: bring a database to this program's schema and back, see how far it is, make the key that bodies need."""

from __future__ import annotations

from pathlib import Path

import click

from cli.loop import run
from cli.output import json_option, say, say_rows, show
from cli.stored import database_option, named
from uhi.signing.key_files import read_private_bytes, write_private_text
from uhi.storage import migrating
from uhi.storage.schema import SchemaState
from uhi.storage.sealing import new_body_key, read_body_key_file


@click.group()
def db() -> None:
    """Look after the database: its schema, and the key that bodies are encrypted with."""


@db.command(short_help="Bring the schema to this program's.")
@database_option
@json_option
def upgrade(url: str, as_json: bool) -> None:
    """Apply every step that is pending: to an empty database, or to that of an earlier release.

    Programs of the earlier release go on working meanwhile. An upgrade that was interrupted is completed by running it
    again; of two at once one waits for the other. A program on an SQLite file does this itself when it starts.
    """
    applied = run(migrating.upgrade(named(url)))
    state = run(migrating.current(url))
    _show_done("applied", applied, state, as_json=as_json)


@db.command(short_help="Undo steps, and lose what they keep.", context_settings={"ignore_unknown_options": True})
@click.argument("revision", metavar="REVISION")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@json_option
def downgrade(revision: str, yes: bool, url: str, as_json: bool) -> None:
    """Undo steps until REVISION is the newest: uhi_0001, uhi@-1 for one step back, or base for none at all.

    What is kept in the tables and columns that go is lost. Make a backup first.
    """
    if not yes:
        before = ", ".join(run(migrating.current(named(url))).applied) or "nothing"
        question = f"From {before} back to {revision}: what only the steps between keep is lost. Go on?"
        click.confirm(question, abort=True, err=True)
    undone = run(migrating.downgrade(named(url), revision))
    state = run(migrating.current(url))
    _show_done("undone", undone, state, as_json=as_json)


@db.command(short_help="Say which steps it has.")
@database_option
@json_option
def current(url: str, as_json: bool) -> None:
    """Say which steps the database has, and which are pending. Nothing is changed."""
    state = run(migrating.current(named(url)))
    value = {"ok": True, "is_current": state.is_current, **_lists(state)}

    def human() -> None:
        say_rows(_rows(state))
        if state.pending:
            say("Next: uhi db upgrade")

    show(value, human, as_json=as_json)


@db.command(short_help="Make a key for bodies.")
@click.argument("out", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--older",
    metavar="OLDER",
    type=click.Path(path_type=Path),
    help="A key file in use, whose keys go below the new one: what they encrypted can still be read.",
)
@json_option
def key(out: Path, older: Path | None, as_json: bool) -> None:
    """Make the key that bodies and PINs are encrypted with, in a new FILE that only you can read.

    Programs find it by UHI_BODY_KEY_FILE. A file that exists is never overwritten.
    """
    write_private_text(out, new_body_key() + _kept(older))

    def human() -> None:
        say(f"Body key written to {out}")
        say("  Mode 0600. Keep a copy apart from the database's backups: without it nobody can read what is kept.")
        say(f"Next: export UHI_BODY_KEY_FILE={out}")

    show({"ok": True, "file": str(out)}, human, as_json=as_json)


def _kept(older: Path | None) -> str:
    if older is None:
        return ""
    read_body_key_file(older)
    return read_private_bytes(older).decode("ascii")


def _show_done(what: str, steps: tuple[str, ...], state: SchemaState, *, as_json: bool) -> None:
    def human() -> None:
        for step in steps:
            say(f"{what} {step}")
        say_rows(_rows(state), indent=0)

    show({"ok": True, what: list(steps), "current": list(state.applied)}, human, as_json=as_json)


def _lists(state: SchemaState) -> dict[str, list[str]]:
    return {"applied": list(state.applied), "pending": list(state.pending), "ahead": list(state.ahead)}


def _rows(state: SchemaState) -> list[tuple[str, str]]:
    rows = [
        ("schema", ", ".join(state.applied) or "empty"),
        ("pending", ", ".join(state.pending)),
        ("newer than this program", ", ".join(state.ahead)),
    ]
    return [(label, value) for label, value in rows if value]
