"""How rows of the audit trail are shown, written to an export and read from one. Above: `audit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from cli.call_lines import Line
from cli.output import plain
from uhi import strict_json
from uhi.audit import Outcome
from uhi.audit.chain import NAMES, Link
from uhi.errors import AuditBroken, Refusal, SetupError

_STYLES = {Outcome.REFUSED.value: "yellow", Outcome.FAILED.value: "red"}
_LAST_SECOND = 253_402_300_799


def link_lines(link: Link) -> Iterator[Line]:
    """A row in a list: number, time, what; who and where from; why. Short lines, so that a narrow terminal has them."""
    yield Line(f"{link.seq:>6}  {_moment(link.at)}  {link.action}  {link.outcome}", _STYLES.get(link.outcome, ""))
    whence = f" from {link.address}" if link.address else ""
    yield Line(f"        {link.actor or '?'} ({link.actor_kind}){whence} → {link.object}")
    if link.reason:
        yield Line(f"        {link.reason}", "dim")


def link_json(link: Link) -> dict[str, object]:
    """A row as JSON: its columns by name, times in Unix seconds."""
    return asdict(link)


def link_line(link: Link) -> bytes:
    """A row as one line of an export."""
    return strict_json.write(link_json(link)) + b"\n"


def read_links(path: Path) -> Iterator[Link]:
    """The rows of an export, line by line.

    Raises: SetupError when the file cannot be read; AuditBroken for a line that is no row.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _link(line, f"line {number} of {plain(str(path))}")
    except OSError as error:
        raise SetupError(
            f"the export {path} cannot be read", got=error.strerror or type(error).__name__, next_step="check the path"
        ) from None


def holder_of(connection: Connection) -> str:
    """Whose database it is, and so whose trail; empty where no program has used it yet."""
    return str(connection.execute(text("SELECT subscriber_id FROM holder")).scalar() or "")


def _link(line: bytes, where: str) -> Link:
    try:
        value = strict_json.parse(line)
    except Refusal:
        value = None
    if not isinstance(value, Mapping) or set(value) != set(NAMES) or not _fits(value):
        raise AuditBroken(f"{where} is no row", expected="what uhi audit export writes")
    return Link(**{**value, "at": float(value["at"])})


def _fits(value: Mapping[str, object]) -> bool:
    texts = (value[name] for name in NAMES if name not in {"seq", "at"})
    is_time = type(value["at"]) is float or type(value["at"]) is int
    return type(value["seq"]) is int and is_time and all(isinstance(each, str) for each in texts)


def _moment(at: float) -> str:
    if not 0 <= at <= _LAST_SECOND:
        return "no time at all     "
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
