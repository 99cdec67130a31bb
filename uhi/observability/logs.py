"""Log lines by allow-list, for our own loggers and everybody else's: what is not known to be harmless is dropped.

Below: `scrubbing` as the second line, `failures` for exceptions; above: the command line and embedding programs.
Source: the network's rules on log redaction (no body, no header, no locals, no exception texts).
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from uhi.errors import UhiError
from uhi.observability.failures import failure_text
from uhi.observability.scrubbing import MASK, scrub

_HEAD = ("ts", "level", "logger", "event")
EXTRAS = (
    *("request_id", "transaction_id", "message_id", "sender", "receiver", "signer", "key_id", "action", "path"),
    *("address", "worker"),
    *("outcome", "http_status", "error_code", "error_type", "attempt", "bytes", "count", "ms", "seconds", "digest"),
)
"""What a log call may add to its text with `extra=`; every other name is dropped."""

OURS = ("cli", "gateway", "participants", "schemas", "uhi")
"""Loggers whose texts this project writes: ids and sentences of ours. Of others, template and numbers are shown."""

_LONGEST_EVENT = 2_000
_LONGEST_VALUE = 255
_PYTHON_WARNING = re.compile(r"[^\n]{0,300}?:\d+: \w+Warning")


def configure_logging(*, json: bool, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every logger of the process through the allow-list to `stream` (standard error), one line per call.

    `json` writes one JSON object per line, else text for people. Replaces what was configured before; a composition
    root calls it once.
    """
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_event, ExtraAdder(allow=EXTRAS)],
            processors=[
                _failure,
                _head,
                _only_allowed,
                JSONRenderer(ensure_ascii=False, separators=(",", ":")) if json else _text_line,
            ],
            pass_foreign_args=True,
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


class _Lines(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say no more than where: logging's own report quotes the arguments."""
        sys.stderr.write(f"a log line of {record.name} could not be written\n")


def _event(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """The text of a standard library record, made from its template and harmless arguments."""
    record: logging.LogRecord = line["_record"]
    arguments = line.pop("positional_args", None) or ()
    is_ours = _is_ours(record.name)
    if record.name == "py.warnings":
        line["event"] = _warning(str(arguments[0]) if arguments else str(record.msg))
        return line
    template = record.msg if isinstance(record.msg, str) else _harmless(record.msg, is_ours=is_ours)
    text = str(template) if is_ours else str(template).partition("\n")[0]
    line["event"] = _filled(text, arguments, is_ours=is_ours)
    return line


def _filled(template: str, arguments: object, *, is_ours: bool) -> str:
    if not arguments:
        return template
    try:
        if isinstance(arguments, dict):
            # The standard library hands a single dict over as names, which only a template with names is about.
            named = {name: _harmless(value, is_ours=is_ours) for name, value in arguments.items()}
            return template % (named if "%(" in template else MASK)
        if isinstance(arguments, tuple):
            return template % tuple(_harmless(value, is_ours=is_ours) for value in arguments)
    except (TypeError, ValueError, KeyError):
        pass
    return template


def _warning(text: str) -> str:
    """Where Python warned and of what kind; the text of a warning may show values."""
    found = _PYTHON_WARNING.match(text)
    return found[0] if found else "a warning"


def _harmless(value: object, *, is_ours: bool) -> object:
    """What may stand in a text: numbers, errors of ours, and in our own texts also ids and sentences."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UhiError):
        return str(value)
    if isinstance(value, BaseException):
        return failure_text(value)
    if is_ours and isinstance(value, str):
        return value
    return MASK


def _failure(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    raised = line.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        line["event"] = f"{line['event']}: {failure_text(error)}"
    return line


def _head(_: WrappedLogger, method: str, line: EventDict) -> EventDict:
    record: logging.LogRecord = line["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"ts": at.replace("+00:00", "Z"), "level": method, "logger": record.name, **line}


def _only_allowed(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    kept = {name: line[name] for name in (*_HEAD, *EXTRAS) if name in line}
    return {name: _value(value, _LONGEST_EVENT if name == "event" else _LONGEST_VALUE) for name, value in kept.items()}


def _value(value: object, longest: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    # Cut after masking, so that no half of a number is left; cut before it too, since peers choose lengths.
    return scrub(value[: 4 * longest])[:longest] if isinstance(value, str) else MASK


def _text_line(_: WrappedLogger, __: str, line: EventDict) -> str:
    time = line["ts"][11:19]
    extras = " ".join(f"{name}={value}" for name, value in line.items() if name not in _HEAD and value != "")
    whose = "" if _is_ours(line["logger"]) else f"{line['logger']}: "
    text = f"{time} {line['level']:<7} {whose}{line['event']}"
    return _on_one_line(f"{text}  {extras}" if extras else text)


def _is_ours(logger: str) -> bool:
    return logger.partition(".")[0] in OURS


def _on_one_line(text: str) -> str:
    """A peer's line breaks and terminal codes spelled out, so that nobody can write lines into somebody's log."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
