"""Pages: a link inside the project leads somewhere."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt


def test_every_link_between_pages_leads_to_a_file(root):
    """Ours: pages move, and their readers are not told; so the suite is."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")]

    broken = [
        f"{page.relative_to(root)} -> {link}"
        for page in pages
        for link in _links(page)
        if not (page.parent / unquote(urlsplit(link).path)).exists()
    ]

    assert pages
    assert broken == []


def _links(page: Path) -> list[str]:
    blocks = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    parts = chain.from_iterable(block.children or [] for block in blocks)
    links = [str(part.attrs.get("href") or part.attrs.get("src") or "") for part in parts]
    return [link for link in links if link and not urlsplit(link).scheme and not link.startswith("#")]
