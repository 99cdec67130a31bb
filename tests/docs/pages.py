"""Pages as the tests read them: their code blocks, the commands they show, and what these are said to print.

A block `sh` is run; the block `text` after it is what comes out. `sh server` stays up until the page's end,
`sh by-hand` is not run here, `text any-order` is looked for line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
_SAME = r"[^\n]*?"
_WORD = r"\w{3}"
_TOKENS: tuple[tuple[str, str], ...] = (
    (r"^…$\n?", r"(?:.*\n)*?"),
    (r"…", _SAME),
    (r"[A-Za-z0-9+/=]{40,}", r"[A-Za-z0-9+/=]{40,}"),
    (r"\b[0-9a-f]{32}\b", r"[0-9a-f]{32}"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", _WORD),
    (r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b", _WORD),
    (r"city-hospital|lakeside-clinic", r"(?:city-hospital|lakeside-clinic)"),
    (r"Dr\. \w+ \w+", r"Dr\. \w+ \w+"),
    (r"\d+", r"\d+"),
    (r"[ \t]+", r"[ \t]+"),
)
_TOKEN = re.compile("|".join(f"({pattern})" for pattern, _ in _TOKENS), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, the word after it, its text, and where it stands."""

    page: str
    line: int
    language: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Commands of a page, and the output shown below them; `at` names the place."""

    at: str
    commands: str
    word: str
    output: Block | None


def pages() -> list[Path]:
    """The README, the documentation and the examples' pages; what CONTRIBUTING shows sets up the machine."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(found)


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence":
            language, _, word = token.info.partition(" ")
            line = token.map[0] + 1 if token.map else 0
            yield Block(page.relative_to(ROOT).as_posix(), line, language, word, token.content)


def shown(page: Path) -> Iterator[Shown]:
    """The commands of a page in order, each with its output."""
    listed = list(blocks(page))
    for block, following in pairwise([*listed, None]):
        if block is not None and block.language == "sh":
            output = following if following is not None and following.language == "text" else None
            yield Shown(f"{block.page}:{block.line}", block.text, block.word, output)


def assert_shows(output: Block, actual: str) -> None:
    """The output is as the page shows it; numbers, keys, days and the demo's names may differ, `…` is anything."""
    texts = output.text.splitlines() if output.word == "any-order" else [output.text.rstrip("\n")]
    for text in texts:
        assert text == "…" or re.search(_pattern(text), actual), f"{output.page}:{output.line}: {text}\ngot\n{actual}"


def _pattern(text: str) -> str:
    parts, end = [], 0
    for found in _TOKEN.finditer(text):
        parts.append(re.escape(text[end : found.start()]))
        parts.append(_TOKENS[(found.lastindex or 1) - 1][1])
        end = found.end()
    return "".join([*parts, re.escape(text[end:])])
