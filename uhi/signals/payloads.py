"""How a signal is spelled on a channel: who tells, then texts of one topic, one a line.

Pure. `<instance> <text>`, and further texts in lines of their own. Above: `line`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def is_one_line(text: str, *, longest: int) -> bool:
    """Whether a text can be told: one line within `longest` bytes."""
    return "\n" not in text and len(text.encode()) <= longest


def write(instance: str, texts: Iterable[str], *, longest: int) -> Iterator[str]:
    """As few payloads as it takes, each within `longest` bytes; every text must fit by itself."""
    lines: list[str] = []
    room = longest - len(instance.encode()) - 1
    size = 0
    for text in texts:
        length = len(text.encode()) + 1
        if lines and size + length > room:
            yield _joined(instance, lines)
            lines, size = [], 0
        lines.append(text)
        size += length
    if lines:
        yield _joined(instance, lines)


def read(payload: str) -> tuple[str, list[str]]:
    """Who tells, and the texts."""
    instance, _, texts = payload.partition(" ")
    return instance, texts.split("\n")


def _joined(instance: str, lines: list[str]) -> str:
    return f"{instance} " + "\n".join(lines)
