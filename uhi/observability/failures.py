"""An exception as an operator may see it: its type and its place. Never its text, which can quote a patient's data."""

from __future__ import annotations

from pathlib import PurePath
from traceback import extract_tb


def failure_text(error: BaseException) -> str:
    """`ValueError at booking/terms.py:12`: the type, and the last folder, file and line where it was raised."""
    frames = extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    place = "/".join(PurePath(frames[-1].filename).parts[-2:])
    return f"{type(error).__name__} at {place}:{frames[-1].lineno}"
