"""Names and words: folders, modules, classes, docstrings, and nothing left to do in a comment."""

from __future__ import annotations

import ast
import re

import pytest

FOLDERS = {"cli", "docs", "examples", "gateway", "participants", "schemas", "tests", "uhi"}
MADE_BY_TOOLS = {"build", "dist", "htmlcov", "__pycache__"}
DRAWERS = {
    *("util", "utils", "helper", "helpers", "common", "shared", "core", "base", "misc"),
    *("manager", "managers", "service", "services", "processor", "processors", "types", "models"),
}
DRAWS_A_TREE = {"uhi/errors.py"}
DOCSTRING_LINES = 5
LEFT_TO_DO = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def test_the_folders_are_the_architecture(root):
    """Given by the project's owner: eight top-level folders, each with its meaning; hidden and built ones aside."""
    folders = {entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")}

    assert folders - MADE_BY_TOOLS <= FOLDERS


def test_modules_are_named_for_what_they_hold(product):
    """Ours: a drawer for everything is not a name."""
    drawers = [source.path for source in product if DRAWERS & set(re.split(r"[/_.]", source.path))]

    assert drawers == []


def test_classes_are_named_for_what_they_are(product):
    """Ours: no `SlotManager`, no `BaseStore`: the banned words neither open nor close a class name."""
    classes = [
        (source.path, node.name)
        for source in product
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    ]

    drawers = [f"{path} {name}" for path, name in classes if _ends(name) & DRAWERS]

    assert drawers == []


def test_every_module_says_what_it_is_in_one_to_five_lines(product):
    """Ours: what it is, what is above and below it, where the rule comes from; only the tree of errors is longer."""
    lengths = {source.path: len((ast.get_docstring(source.tree) or "").splitlines()) for source in product}

    wrong = {
        path: lines for path, lines in lengths.items() if not 1 <= lines <= DOCSTRING_LINES and path not in DRAWS_A_TREE
    }

    assert wrong == {}


def test_every_test_says_where_its_rule_comes_from(sources):
    """Ours: the name tells the outcome, the docstring its source."""
    tests = [(source.path, test) for source in sources for test in source.tests()]

    silent = [f"{path}:{test.lineno} {test.name}" for path, test in tests if not ast.get_docstring(test)]

    assert silent == []


@pytest.mark.parametrize("pattern", ["*.py", "*.md", "*.toml", "*.yaml", "*.yml", "Makefile"])
def test_nothing_is_left_to_do_in_a_comment(root, pattern):
    """Ours: what is missing is said in the documentation or built."""
    places = [root, *(root / folder for folder in sorted(FOLDERS))]
    files = [file for place in places for file in (place.glob if place == root else place.rglob)(pattern)]

    left = [str(file.relative_to(root)) for file in files if LEFT_TO_DO.search(file.read_text(encoding="utf-8"))]

    assert left == []


def _ends(name: str) -> set[str]:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return {words[0].lower(), words[-1].lower()}
