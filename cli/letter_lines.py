"""How letters of the outbox are shown: three short lines each in a list, every field alone. Pure. Above: `outbox`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from cli.call_lines import Line, moment
from cli.output import plain
from cli.timeline import short
from uhi.ports import LetterState
from uhi.storage.sql.outbox_admin import LetterRow

_STYLES = {
    LetterState.REFUSED: "red",
    LetterState.EXPIRED: "red",
    LetterState.DEAD: "bold red",
    LetterState.DELIVERED: "green",
}
_TIMES = ("not_before", "deadline", "lease_until", "created_at", "ended_at")


def letter_lines(letter: LetterRow, *, now: float) -> Iterator[Line]:
    """A letter in a list: state and way, its id, how it stands."""
    way = plain(f"{letter.action} → {short(letter.to)}")
    yield Line(f"{letter.state.value:<9}  {way}", _STYLES.get(letter.state, ""))
    yield Line(f"  {letter.id}")
    yield from (Line(f"  {text}", "dim") for text in _standing(letter, now))


def letter_rows(letter: LetterRow, *, now: float) -> list[tuple[str, str]]:
    """Everything that is kept of a letter but its body and signatures, as labels and values."""
    rows = [
        ("id", letter.id),
        ("state", letter.state.value),
        ("", "\n".join(_standing(letter, now))),
        ("to", f"{letter.to} ({letter.role})\n{letter.url}"),
        ("action", f"{letter.action}{', passed on' if letter.is_relayed else ''}"),
        ("kind", f"{'critical: tried for days' if letter.is_critical else 'tried until its deadline'}"),
        ("urgency", f"{letter.priority} (0 is sent first)"),
        ("transaction", letter.transaction_id),
        ("message", letter.message_id),
        ("order", letter.order_id),
        ("follows", f"journal {letter.cause}" if letter.cause else ""),
        ("line", letter.line),
        ("created", moment(letter.created_at)),
        ("deadline", moment(letter.deadline)),
        ("process", letter.owner),
        ("body", f"{letter.size:,} bytes, {'kept, encrypted' if letter.has_body else 'not kept any more'}"),
        ("digest", letter.digest),
    ]
    return [(label, _lines(value)) for label, value in rows if value]


def letter_json(letter: LetterRow) -> dict[str, object]:
    """A letter as JSON; times are UTC in ISO 8601."""
    value = asdict(letter) | {"state": letter.state.value}
    return value | {name: _utc(value[name]) for name in _TIMES}


def _standing(letter: LetterRow, now: float) -> list[str]:
    return [_tries(letter), _next(letter, now)]


def _tries(letter: LetterRow) -> str:
    if not letter.attempts and not letter.last_error:
        return "not tried yet"
    tries = "1 attempt" if letter.attempts == 1 else f"{letter.attempts} attempts"
    if letter.state is LetterState.DELIVERED:
        return tries
    told = " ".join(
        part for part in (f"HTTP {letter.last_status}" if letter.last_status else "", letter.last_error) if part
    )
    return plain(f"{tries}, last: {told}" if told else tries)


def _next(letter: LetterRow, now: float) -> str:
    if letter.state.is_end:
        return "ended" if letter.ended_at is None else f"ended {moment(letter.ended_at)}"
    if letter.state is LetterState.LEASED:
        is_held = (letter.lease_until or 0.0) > now
        return "is being sent" if is_held else "was being sent by a process that is gone; another takes it over"
    return "due now" if letter.not_before <= now else f"next attempt {moment(letter.not_before)}"


def _lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.split("\n"))


def _utc(at: object) -> str | None:
    if not isinstance(at, float | int):
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
