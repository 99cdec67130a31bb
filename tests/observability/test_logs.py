"""Logs by allow-list: a canary of patient data is put into every place a log call has, and never comes out."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings

import pytest

from uhi.errors import DeliveryError, Refusal
from uhi.faults import SIGNATURE_INVALID
from uhi.observability.failures import failure_text
from uhi.observability.logs import configure_logging

OURS = logging.getLogger("uhi.exchange.somewhere")
FOREIGN = logging.getLogger("aiohttp.server")
CANARY = "Priya Sharma, fever"
NUMBERS = "9876543210 and priya@abdm"


class Sensitive:
    """An object whose text holds a patient's data."""

    def __repr__(self) -> str:
        return CANARY

    __str__ = __repr__


def raising() -> None:
    name = CANARY
    raise ValueError(f"no slot for {name}")


def test_line_has_time_level_logger_text_and_known_extras(lines):
    """Rules on log redaction: the allow-list."""
    OURS.warning("refused: %s", Refusal(SIGNATURE_INVALID, "bad header"), extra={"path": "search", "http_status": 401})

    line = json.loads(lines()[0])
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": OURS.name,
        "event": "refused: bad header",
        "path": "search",
        "http_status": 401,
    }


@pytest.mark.parametrize("logger", [OURS, FOREIGN], ids=lambda logger: logger.name)
@pytest.mark.parametrize(
    "extra", [{"patient": CANARY}, {"body": CANARY}, {"action": Sensitive()}, {"ms": {"a": CANARY}}]
)
def test_unknown_names_and_objects_are_dropped(lines, logger, extra):
    """Rules on log redaction: the formatter drops everything else."""
    logger.warning("something happened", extra=extra)

    assert CANARY not in lines()[0]
    assert "something happened" in lines()[0]


@pytest.mark.parametrize("logger", [OURS, FOREIGN], ids=lambda logger: logger.name)
def test_exception_is_told_by_type_and_place_only(lines, logger):
    """Rules on log redaction: no locals, no texts of exceptions, no tracebacks."""
    try:
        raising()
    except ValueError as error:
        logger.exception("it failed")
        logger.error("it failed: %s", error)
        logger.error(error)

    written = "\n".join(lines())
    assert json.loads(lines()[0])["event"].startswith("it failed: ValueError at observability/test_logs.py:")
    assert CANARY not in written
    assert "no slot" not in written
    assert "Traceback" not in written


def test_own_errors_are_told_whole(lines):
    """Their texts are written for operators and hold nothing about a patient."""
    OURS.error("not delivered: %s", DeliveryError("nobody answered", got="a timeout"))

    assert json.loads(lines()[0])["event"] == "not delivered: nobody answered, got a timeout"


@pytest.mark.parametrize("value", [CANARY, Sensitive(), [CANARY], {"name": CANARY}, CANARY.encode()])
def test_texts_of_other_libraries_lose_their_arguments(lines, value):
    """Rules on log redaction: third-party loggers through the same formatter; they quote what they were handed."""
    FOREIGN.error("cannot handle %s, %d times", value, 3)
    FOREIGN.error("cannot handle %r", value)
    FOREIGN.error("cannot handle\n%s", value)

    assert CANARY not in "\n".join(lines())
    assert json.loads(lines()[0])["event"] == "cannot handle ***, 3 times"


def test_named_arguments_are_looked_at_too(lines):
    """The standard library takes a single dict for the names in a text."""
    OURS.info("%(count)d slots for %(patient)s", {"count": 3, "patient": Sensitive()})

    assert json.loads(lines()[0])["event"] == "3 slots for ***"


@pytest.mark.parametrize("value", [Sensitive(), [CANARY], {"name": CANARY}, CANARY.encode()])
def test_own_texts_hold_no_objects(lines, value):
    """Only ids, numbers and sentences of ours stand in a text; a message or a body never does."""
    OURS.info("handled %s", value)

    assert json.loads(lines()[0])["event"] == "handled ***"


@pytest.mark.parametrize("logger", [OURS, FOREIGN], ids=lambda logger: logger.name)
def test_numbers_of_patients_are_masked_everywhere(lines, logger):
    """Rules on log redaction: scrubbers are the second line."""
    logger.warning(NUMBERS, extra={"message_id": NUMBERS, "action": NUMBERS})

    assert "9876543210" not in lines()[0]
    assert "priya" not in lines()[0]


def test_forgotten_task_does_not_tell_what_it_was_about(lines):
    """asyncio writes an exception's text into the message itself."""

    async def forget() -> None:
        async def fail() -> None:
            raising()

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task

    asyncio.run(forget())

    line = json.loads(lines()[0])
    assert line["event"].startswith("Task exception was never retrieved: ValueError at ")
    assert CANARY not in lines()[0]


def test_warning_of_python_is_told_by_place_and_kind(lines):
    """A warning's text can show values; pydantic's do."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"unexpected value {CANARY}", UserWarning, stacklevel=1)

    assert "test_logs.py" in lines()[0]
    assert "UserWarning" in lines()[0]
    assert CANARY not in lines()[0]


def test_call_that_does_not_fit_its_text_is_written_all_the_same(lines, capsys):
    """Logging's own report of such a mistake quotes the arguments on standard error."""
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if type(handler).__module__.startswith("uhi")]

    OURS.error("one %s two %s", CANARY)
    FOREIGN.error("%d", CANARY)

    assert [json.loads(line)["event"] for line in lines()] == ["one %s two %s", "%d"]
    assert capsys.readouterr().err == ""


def test_line_that_cannot_be_written_quotes_nothing(capsys, text):
    """As above, for a stream that is closed."""
    logging.getLogger().handlers[0].setStream(Closed())  # type: ignore[attr-defined]

    OURS.error("about %s", CANARY)

    assert capsys.readouterr().err == f"a log line of {OURS.name} could not be written\n"


class Closed:
    """A stream that is gone."""

    def write(self, _: str) -> None:
        raise ValueError(CANARY)

    def flush(self) -> None:
        pass


def test_text_for_people_is_one_line_however_it_was_written(text):
    """Whoever chooses a text must not write lines into somebody's log, or terminal codes."""
    OURS.warning("refused\n12:00:00 info accepted \x1b[31m\u202e", extra={"action": "a\nb"})

    written = text()
    assert written.count("\n") == 1
    assert "\\n12:00:00 info accepted \\x1b[31m\\u202e" in written
    assert written.endswith("action=a\\nb\n")


def test_text_for_people_names_other_peoples_loggers(text):
    """Ours: whose line it is, where it is not ours."""
    OURS.info("up")
    FOREIGN.warning("down")

    ours, foreign = text().splitlines()
    assert ours.endswith("info    up")
    assert foreign.endswith("warning aiohttp.server: down")


def test_long_texts_are_cut(lines):
    """Peers choose lengths."""
    OURS.warning("x" * 100_000, extra={"action": "y" * 100_000})

    assert len(lines()[0]) < 3_000


def test_access_log_is_off(lines):
    """Rules on log redaction; the call log has what is needed."""
    logging.getLogger("aiohttp.access").error("GET /search?name=%s", CANARY)

    assert lines() == []


def test_failure_without_a_place_is_its_type():
    """An exception that was never raised has none."""
    assert failure_text(ValueError(CANARY)) == "ValueError"


def test_default_stream_is_standard_error(text, capsys):
    """Standard output belongs to what a command prints."""
    configure_logging(json=False)

    OURS.info("up")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("info    up\n")
