"""The commands that the pages show are run, and what they print is what the pages say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, pages, shown

BY_HAND = "by-hand"
PAGES = [page.relative_to(ROOT).as_posix() for page in pages() if any(each.word != BY_HAND for each in shown(page))]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_do_what_it_says(page, shell):
    """Ours: docs are programs."""
    for each in shown(Path(ROOT, page)):
        if each.word != BY_HAND:
            shell.run(each)
