"""How the call log is shown to people: a line per hop where the terminal is wide enough, else two; what it comes to.

Pure. Above: `calls`. Times are those of the day in India.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from cli.output import plain
from cli.timeline import short
from uhi.messages.values import IST
from uhi.observability.timeline import Answer, CallRecord, is_fine
from uhi.ports import Hop

_CLOCK = " " * 12
_GAP = "  "
_DETAIL_STYLE = "dim"
_NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and rich's style for it."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class _Cells:
    """One hop in columns."""

    at: float
    clock: str
    way: str
    action: str
    verdict: str
    ms: str
    style: str
    below: tuple[str, ...]


def hop_lines(hops: Iterable[Hop], *, width: int, with_transaction: bool = False) -> Iterator[Line]:
    """The hops in the order given, with a heading where the day changes. `width` is the terminal's, in characters.

    With transactions, each hop also tells the id of its own.
    """
    cells = [_cells(hop, with_transaction=with_transaction) for hop in hops]
    columns = [max((len(part) for part in parts), default=0) for parts in zip(*map(_parts, cells), strict=True)]
    is_wide = sum(columns) + len(_GAP) * (len(columns) - 1) <= width
    day = ""
    for cell in cells:
        if (today := _day(cell.at)) != day:
            day = today
            yield Line(day, "bold")
        yield from _wide(cell, columns) if is_wide else _narrow(cell)
        for text in cell.below:
            for part in wrap(text, max(width - len(_CLOCK + _GAP), _NARROWEST)):
                yield Line(f"{_CLOCK}{_GAP}{part}", _DETAIL_STYLE)


def record_rows(record: CallRecord) -> list[tuple[str, str]]:
    """What a transaction comes to, as labels and values."""
    rows = [
        ("consumer", plain(record.consumer_id)),
        ("address", plain(record.consumer_url)),
        ("category", plain(record.category)),
        ("received", _moment(record.received_at)),
        ("receipt", _acknowledged(record)),
        ("stage", " → ".join(f"{stage}" for stage, _ in record.reached)),
        ("call", "success" if record.is_success else f"failed: {plain(record.reason)}"),
    ]
    rows += [("note", plain(f"{other} has used this transaction id too")) for other in record.others]
    return [(label, value) for label, value in rows if value]


def answer_rows(answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """Each provider, and what it did with the search."""
    return [(plain(short(answer.provider)), plain(_answer(answer))) for answer in answers]


def moment(at: float) -> str:
    """`Sun 22 Nov 2026 17:55:42 IST`."""
    return datetime.fromtimestamp(at, IST).strftime("%a %d %b %Y %H:%M:%S %Z")


def _cells(hop: Hop, *, with_transaction: bool) -> _Cells:
    verdict = (hop.outcome, hop.stage, f"attempt {hop.attempt}" if hop.attempt > 1 else "")
    below = [f"transaction {hop.transaction_id}"] if with_transaction and hop.transaction_id else []
    return _Cells(
        at=hop.at,
        clock=datetime.fromtimestamp(hop.at, IST).strftime("%H:%M:%S.%f")[:-3],
        way=plain(f"{short(hop.sender)} → {short(hop.receiver)}"),
        action=plain(hop.action),
        verdict=plain(", ".join(part for part in verdict if part)),
        ms=f"{hop.ms:,.1f} ms",
        style="" if is_fine(hop) else "red",
        below=tuple(plain(text) for text in (*below, hop.detail) if text),
    )


def _parts(cell: _Cells) -> tuple[str, ...]:
    return (cell.clock, cell.way, cell.action, cell.verdict, cell.ms)


def _wide(cell: _Cells, columns: Sequence[int]) -> Iterator[Line]:
    clock, way, action, verdict, ms = columns
    text = _GAP.join(
        (
            f"{cell.clock:<{clock}}",
            f"{cell.way:<{way}}",
            f"{cell.action:<{action}}",
            f"{cell.verdict:<{verdict}}",
            f"{cell.ms:>{ms}}",
        )
    )
    yield Line(text, cell.style)


def _narrow(cell: _Cells) -> Iterator[Line]:
    yield Line(f"{cell.clock}{_GAP}{cell.way}", cell.style)
    yield Line(f"{_CLOCK}{_GAP}{_GAP.join((cell.action, cell.verdict, cell.ms))}", cell.style)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, IST).strftime("%a %d %b %Y, India")


def _moment(at: float | None) -> str:
    return "" if at is None else moment(at)


def _acknowledged(record: CallRecord) -> str:
    if record.acknowledged_at is None or record.received_at is None:
        return record.acknowledgement
    after = (record.acknowledged_at - record.received_at) * 1_000
    return f"{record.acknowledgement} after {after:,.1f} ms"


def _answer(answer: Answer) -> str:
    parts = []
    if answer.asked:
        tries = f" at attempt {answer.attempts}" if answer.attempts > 1 else ""
        parts.append("took the search" + tries if answer.asked == "ACK" else f"{answer.asked}{tries}")
    if answer.answered_at is not None:
        after = "" if answer.asked_at is None else f" after {answer.answered_at - answer.asked_at:,.1f} s"
        parts.append(f"answered{after}" + (f", {answer.answers} times" if answer.answers > 1 else ""))
    elif answer.refused:
        parts.append(f"its answer was refused: {answer.refused}")
    else:
        parts.append("has not answered")
    return ", ".join(parts)
