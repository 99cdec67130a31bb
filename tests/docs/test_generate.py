"""What the pages show of the sources: none is stale, and `--check` would say so."""

from __future__ import annotations

import pytest

from docs import generate


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one page and a snippet, and a reference that was just written."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "REFERENCE", tmp_path / "docs" / "reference")
    generate.REFERENCE.mkdir(parents=True)
    (tmp_path / "docs" / "snippet.py").write_text("print(1)\n")
    (tmp_path / "README.md").write_text("Look:\n\n```python docs/snippet.py\n```\n")
    generate.main([])
    return tmp_path


def test_the_pages_are_those_of_the_sources(capsys):
    """Ours: docs are programs; help and reference cannot rot."""
    code = generate.main(["--check"])

    assert (code, capsys.readouterr().out) == (0, "")


def test_a_block_that_names_a_file_holds_the_file(project):
    """Ours: the code on a page is a file that is run."""
    assert (project / "README.md").read_text() == "Look:\n\n```python docs/snippet.py\nprint(1)\n```\n"


def test_a_changed_snippet_and_a_changed_lost_or_foreign_page_are_stale(project, capsys):
    """Ours: the reference holds what is generated and nothing else."""
    (project / "docs" / "snippet.py").write_text("print(2)\n")
    (generate.REFERENCE / "errors.md").write_text("")
    (generate.REFERENCE / "cli.md").unlink()
    (generate.REFERENCE / "notes.md").write_text("")

    code = generate.main(["--check"])

    stale = [line.split()[0].rsplit("/", 1)[-1] for line in capsys.readouterr().out.splitlines()]
    assert (code, stale) == (1, ["cli.md", "errors.md", "README.md", "notes.md"])


def test_writing_puts_the_pages_right(project):
    """Ours: writing also removes what is not generated any more."""
    (project / "docs" / "snippet.py").write_text("print(2)\n")
    (generate.REFERENCE / "notes.md").write_text("")

    generate.main([])

    assert generate.main(["--check"]) == 0


def test_a_block_that_names_no_file_is_an_error(project):
    """Ours: a snippet that was renamed must not be kept on its page."""
    (project / "README.md").write_text("```python docs/gone.py\n```\n")

    with pytest.raises(FileNotFoundError):
        generate.main(["--check"])
