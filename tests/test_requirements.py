"""The manifest of clauses: each is held by tests that exist, and says once what it asks for and where that stands."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.requirements import CLAUSES, Clause

TESTS = Path(__file__).parent


def names_in(file: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, functions) and node.name.startswith("test_")}


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_every_clause_of_the_protocol_has_its_tests(clause: Clause):
    """Ours: a clause without a test is a promise that nobody keeps."""
    missing = []
    for test in clause.tests:
        file, _, name = test.partition("::")
        path = TESTS / f"{file}.py"
        if not path.is_file() or name not in names_in(path):
            missing.append(test)

    assert clause.tests
    assert missing == []


def test_clauses_are_told_apart():
    """Ours: one id, one sentence, one source each."""
    ids = Counter(clause.id for clause in CLAUSES)

    assert [name for name, times in ids.items() if times > 1] == []
    assert [clause.id for clause in CLAUSES if not clause.sentence.endswith(".") or not clause.source] == []


@pytest.mark.parametrize("folder", ["network", "exchange", "faults"])
def test_no_file_of_these_tests_is_without_a_clause(folder):
    """Ours: a file that holds nothing of the protocol belongs elsewhere."""
    used = {test.partition("::")[0] for clause in CLAUSES for test in clause.tests}

    files = {f"{folder}/{file.stem}" for file in (TESTS / folder).glob("test_*.py")}

    assert sorted(files - used) == []
