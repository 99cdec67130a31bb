"""Acceptance cases: a test that names a case names one that exists."""

from __future__ import annotations

import ast

COUNTS = {
    "SIG": 22,
    "BODY": 16,
    "SSRF": 6,
    "REG": 11,
    "CB": 8,
    "GW": 8,
    "REL": 10,
    "BK": 10,
    "PAY": 9,
    "IAM": 17,
}
CASES = {f"{group}-{number:02d}" for group, count in COUNTS.items() for number in range(1, count + 1)}


def test_every_case_named_by_a_test_exists(sources):
    """Decision on acceptance cases: each is tied to its tests by a marker; a wrong id would tie it to nothing."""
    named = [(source.path, node) for source in sources for node in ast.walk(source.tree) if _is_case(node)]

    unknown = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, node in named
        if not node.args or any(_text(argument) not in CASES for argument in node.args)
    ]

    assert unknown == []


def _is_case(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.case")


def _text(argument: ast.expr) -> object:
    return argument.value if isinstance(argument, ast.Constant) else None
