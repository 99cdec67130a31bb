"""The examples: each is a story with a page, and asserts its outcome."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(each.parent.name for each in (ROOT / "examples").glob("*/__main__.py"))


@pytest.mark.parametrize("name", FOLDERS)
def test_an_example_does_what_it_asserts(name):
    """Ours: the program asserts its outcome; here it has only to end."""
    runpy.run_module(f"examples.{name}", run_name="__main__")


@pytest.mark.parametrize("name", FOLDERS)
def test_an_example_says_what_to_look_at(name):
    """Ours: one folder, one story, one page; and the list of examples leads to it."""
    page = (ROOT / "examples" / name / "README.md").read_text("utf-8")
    program = ast.parse((ROOT / "examples" / name / "__main__.py").read_text("utf-8"))

    assert "**What to look at**" in page
    assert f"({name}/README.md)" in (ROOT / "examples" / "README.md").read_text("utf-8")
    assert any(isinstance(node, ast.Assert) for node in ast.walk(program))


def test_the_hospital_in_50_lines_is_no_longer():
    """Ours: its name is a promise."""
    program = ast.parse((ROOT / "examples" / "hospital_in_50_lines" / "hospital.py").read_text("utf-8"))

    (hospital,) = [node for node in program.body if isinstance(node, ast.ClassDef)]

    assert hospital.end_lineno - hospital.lineno < 50
