"""Logging of the process, set up for a test and put back after it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from uhi.observability.logs import configure_logging


@pytest.fixture
def lines() -> Iterator[Callable[[], list[str]]]:
    """Sets up logging as JSON; gives the lines written so far."""
    with _restored():
        stream = io.StringIO()
        configure_logging(json=True, stream=stream)
        yield lambda: stream.getvalue().splitlines()


@pytest.fixture
def text() -> Iterator[Callable[[], str]]:
    """Sets up logging for people; gives everything written so far."""
    with _restored():
        stream = io.StringIO()
        configure_logging(json=False, stream=stream)
        yield stream.getvalue


@contextmanager
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        logging.getLogger("aiohttp.access").disabled = False
