"""The documentation's table of contents."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

LINK = re.compile(r"\]\(([^)#]+\.md)")


def test_every_page_can_be_reached_from_the_readme():
    """Ours: a page that no other page leads to is not found."""
    waiting, reached = [ROOT / "README.md"], set()

    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [(page.parent / link).resolve() for link in LINK.findall(page.read_text("utf-8"))]

    assert {*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")} - reached == set()
