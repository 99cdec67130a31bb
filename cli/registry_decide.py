"""`uhi registry list`, `show`, `review`, `approve`, `decline`, `suspend`, `resume`, `revoke`, `export`: what
administrators do, over the registry's interface, with the sign-in of `uhi registry login`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
from rich.console import Console
from rich.table import Table

from cli.loop import run
from cli.output import json_option, new_file, plain, say, say_rows, show
from cli.registry_session import RegistryDesk, read_session
from uhi import strict_json
from uhi.errors import SetupError
from uhi.registry.rows import moment_text
from uhi.subscribers import STATUSES, Role

F = TypeVar("F", bound=Callable[..., Any])
Told = Mapping[str, object]

_SUBSCRIBERS = "/v1/subscribers"


def _id_argument(command: F) -> F:
    return click.argument("subscriber_id", metavar="ID")(command)


def _yes_option(command: F) -> F:
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def _reason_option(command: F) -> F:
    return click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept in the audit trail.")(command)


@click.command("list", short_help="List who takes part, and who wants to.")
@click.option("--status", type=click.Choice(STATUSES), default=None, help="Only those in this state.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=None, help="Only those in this role.")
@click.option("--search", "text", default="", metavar="TEXT", help="Only those with this in id, name or address.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Fifty are on a page.")
@json_option
def list_subscribers(status: str | None, role: str | None, text: str, page: int, as_json: bool) -> None:
    """List subscribers and applicants, ordered by id."""
    query = {"status": status or "", "role": role or "", "q": text, "page": str(page)}
    told = _call("GET", _SUBSCRIBERS, {name: value for name, value in query.items() if value})

    def human() -> None:
        rows = _objects(told.get("subscribers"))
        if not rows:
            say(f"There is no page {page}; the last one is {told.get('pages')}." if page > 1 else "Nobody fits.")
            return
        _say_table(("id", "role", "status", "waits for", "name"), map(_row, rows))
        say(f"Page {told.get('page')} of {told.get('pages')}, {told.get('total')} in all.", style="dim")

    show({"ok": True, **told}, human, as_json=as_json)


@click.command("show", short_help="Show one subscriber, and what is missing.")
@_id_argument
@json_option
def show_subscriber(subscriber_id: str, as_json: bool) -> None:
    """Show the entry of a subscriber, its keys, what waits to be decided, and what is missing for that."""
    told = _call("GET", _place(subscriber_id))
    show({"ok": True, **told}, lambda: _say_subscriber(told), as_json=as_json)


@click.command(short_help="Say that an application was looked at.")
@_id_argument
@_yes_option
@json_option
def review(subscriber_id: str, yes: bool, as_json: bool) -> None:
    """Show what waits, and move an application on to its decision. Possible once everything is proven."""
    seen = _seen(subscriber_id, "Reviewed: is this as it should be?", yes=yes, as_json=as_json)
    _decide(subscriber_id, "review", "Reviewed.", body=seen, as_json=as_json)


@click.command(short_help="Approve an application or a change; two must.")
@_id_argument
@_yes_option
@json_option
def approve(subscriber_id: str, yes: bool, as_json: bool) -> None:
    """Show what waits, and approve it. It takes effect when a second, different administrator approves it too."""
    seen = _seen(subscriber_id, "Approve this?", yes=yes, as_json=as_json)
    _decide(subscriber_id, "approve", "Approved by you.", body=seen, as_json=as_json)


@click.command(short_help="Turn an application or a change down.")
@_id_argument
@_reason_option
@json_option
def decline(subscriber_id: str, reason: str, as_json: bool) -> None:
    """Turn down what waits. Whoever applied may apply again."""
    _decide(subscriber_id, "decline", "Declined.", body={"reason": reason}, as_json=as_json)


@click.command(short_help="Keep a subscriber from taking part for a while.")
@_id_argument
@_reason_option
@json_option
def suspend(subscriber_id: str, reason: str, as_json: bool) -> None:
    """Keep a subscriber from taking part, until it is resumed. Everybody is told at once."""
    _decide(subscriber_id, "suspend", "Suspended.", body={"reason": reason}, as_json=as_json)


@click.command(short_help="Let a suspended subscriber take part again.")
@_id_argument
@_reason_option
@json_option
def resume(subscriber_id: str, reason: str, as_json: bool) -> None:
    """Let a suspended subscriber take part again."""
    _decide(subscriber_id, "resume", "Resumed.", body={"reason": reason}, as_json=as_json)


@click.command(short_help="End a subscriber, or one of its keys, for good.")
@_id_argument
@click.option("--key", "key_id", default="", metavar="KEY", help="End only this key.")
@_reason_option
@_yes_option
@json_option
def revoke(subscriber_id: str, key_id: str, reason: str, yes: bool, as_json: bool) -> None:
    """End a subscriber and all of its keys, or with --key one key, for good. Everybody is told at once."""
    what = f"key {key_id} of {subscriber_id}" if key_id else f"{subscriber_id} and all of its keys"
    if not yes:
        click.confirm(f"End {what} for good?", abort=True, err=True)
    step = f"keys/{quote(key_id, safe='')}/revoke" if key_id else "revoke"
    _decide(subscriber_id, step, f"Ended: {what}.", body={"reason": reason}, as_json=as_json)


@click.command(short_help="Write the whole register as JSON.")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="A new file; standard output, if left out."
)
@json_option
def export(out: Path | None, as_json: bool) -> None:
    """Write every entry with its keys, as of one number. That you took it stands in the audit trail."""
    told = _call("GET", "/v1/export")
    if out is None:
        click.echo(strict_json.write(dict(told)).decode())
        return
    with new_file(out) as file:
        file.write(strict_json.write(dict(told)) + b"\n")
    count = len(_objects(told.get("subscribers")))
    value = {"ok": True, "file": str(out), "subscribers": count, "registry_seq": told.get("registry_seq")}
    show(value, lambda: say(f"{count} entries as of change {told.get('registry_seq')} in {out}"), as_json=as_json)


def _seen(subscriber_id: str, question: str, *, yes: bool, as_json: bool) -> Mapping[str, str]:
    """Show what is to be decided about, and name it: what takes its place meanwhile is not decided about."""
    told = _call("GET", _place(subscriber_id))
    waits = _object(told.get("pending"))
    if not waits:
        raise SetupError(f"nothing of {plain(subscriber_id)} waits", next_step="uhi registry list")
    if not yes:
        if not as_json:
            _say_subscriber(told)
        click.confirm(question, abort=True, err=True)
    return {"pending_id": str(waits.get("id"))}


def _decide(subscriber_id: str, step: str, done: str, *, body: Mapping[str, str] | None = None, as_json: bool) -> None:
    told = _call("POST", f"{_place(subscriber_id)}/{step}", body or {})

    def human() -> None:
        say(done, style="bold green")
        _say_subscriber(told)

    show({"ok": True, **told}, human, as_json=as_json)


def _place(subscriber_id: str) -> str:
    if not subscriber_id.isascii() or not subscriber_id.isprintable():
        raise SetupError("this is no subscriber id", got=plain(subscriber_id)[:60], next_step="uhi registry list")
    return f"{_SUBSCRIBERS}/{quote(subscriber_id, safe='')}"


def _call(method: str, path: str, given: Mapping[str, str] | None = None) -> Told:
    async def call() -> Told:
        async with RegistryDesk(read_session()) as desk:
            return await (desk.get(path, given) if method == "GET" else desk.post(path, given))

    return run(call())


def _say_subscriber(told: Told) -> None:
    entry, pending = _object(told.get("entry")), _object(told.get("pending"))
    say(f"{_text(told, 'subscriber_id')}: {_text(told, 'status')}", style="bold")
    say_rows(_entry_rows(entry))
    _say_keys("Keys", told.get("keys"))
    if not pending:
        return
    say("A change waits:" if pending.get("amends") else "The application waits:")
    wanted = _object(pending.get("wanted"))
    changed = [(name, text) for name, text in _entry_rows(wanted) if (name, text) not in _entry_rows(entry)]
    say_rows(changed if pending.get("amends") else [])
    _say_keys("  with keys", pending.get("keys"))
    rows = [("asked for by", _text(pending, "submitted_by")), ("since", _moment(pending.get("submitted_at")))]
    if pending.get("reviewed_by"):
        rows += [("reviewed by", _people([pending.get("reviewed_by")], pending))]
    rows += [("approved by", _people(pending.get("approved_by"), pending) or "nobody yet")]
    rows += [("missing", _missing(pending) or "nothing")]
    say_rows(rows)


def _entry_rows(entry: Told) -> list[tuple[str, str]]:
    rows = [
        ("role", _text(entry, "role")),
        ("name", _text(entry, "legal_name")),
        ("address", _text(entry, "url")),
        ("contact", _text(entry, "contact_email")),
        ("country", _text(entry, "country")),
        ("domains", _joined(entry.get("domains"))),
        ("cities", _joined(entry.get("cities"))),
        ("fulfilment types", _joined(entry.get("fulfilment_types"))),
    ]
    return [(name, text) for name, text in rows if text]


def _say_keys(title: str, value: object) -> None:
    keys = _objects(value)
    if keys:
        say(title)
        say_rows([(_text(key, "key_id"), _key_line(key)) for key in keys], indent=4)


def _key_line(key: Told) -> str:
    if key.get("revoked_at") is not None:
        return f"revoked {_moment(key.get('revoked_at'))}, fingerprint {_text(key, 'fingerprint') or 'not told'}"
    state = "in force" if key.get("is_active") else "not in force"
    lasts = f"{_moment(key.get('valid_from'))} to {_moment(key.get('valid_until'))}"
    return f"{state}, {lasts}, fingerprint {_text(key, 'fingerprint') or 'not told'}"


def _row(subscriber: Told) -> tuple[str, ...]:
    entry, pending = _object(subscriber.get("entry")), _object(subscriber.get("pending"))
    missing = _missing(pending)
    name = _text(entry, "legal_name")
    return (_text(subscriber, "subscriber_id"), _text(entry, "role"), _text(subscriber, "status"), missing, name)


def _say_table(titles: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False, emoji=False).print(table)


def _text(value: Told, name: str) -> str:
    found = value.get(name)
    return plain(str(found)) if found not in (None, "") else ""


def _joined(value: object) -> str:
    return ", ".join(plain(str(each)) for each in value) if isinstance(value, list) else ""


def _people(ids: object, pending: Told) -> str:
    known = _object(pending.get("people"))
    return _joined([known.get(str(each), each) for each in ids]) if isinstance(ids, list) else ""


def _missing(pending: Told) -> str:
    value = pending.get("missing")
    counted = Counter(plain(str(each)) for each in value) if isinstance(value, list) else Counter[str]()
    return ", ".join(f"{number} {name}s" if number > 1 else name for name, number in counted.items())


def _moment(value: object) -> str:
    return moment_text(float(value))[:19].replace("T", " ") if isinstance(value, int | float) else ""


def _object(value: object) -> Told:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Told]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
