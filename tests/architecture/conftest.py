"""The project as the architecture tests read it: every Python file once, with its text and its tree."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("cli", "gateway", "participants", "schemas", "uhi")
FOLDERS = (*PRODUCT, "docs", "examples", "tests")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `path` counts from the project's root, with slashes."""

    path: str
    text: str
    tree: ast.Module

    def uses(self, pattern: str) -> list[str]:
        """Where the code (not its comments or strings) names something that fits, as `path:line name`."""
        found = [(line, name) for node in ast.walk(self.tree) for line, name in _names(node)]
        return [f"{self.path}:{line} {name}" for line, name in sorted(found) if re.fullmatch(pattern, name)]

    def imports(self) -> set[str]:
        """The top-level packages that are imported anywhere in the file."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        return {name.split(".")[0] for node in nodes for _, name in _names(node) if not getattr(node, "level", 0)}

    def tests(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The test functions of the file."""
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        return [function for function in functions if function.name.startswith("test_")]


def _names(node: ast.AST) -> list[tuple[int, str]]:
    match node:
        case ast.Name() | ast.Attribute():
            return [(node.lineno, ast.unparse(node))]
        case ast.Import():
            return [(node.lineno, alias.name) for alias in node.names]
        case ast.ImportFrom():
            return [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return []


def _read(folder: str) -> list[Source]:
    files = sorted((ROOT / folder).rglob("*.py"))
    texts = [(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files]
    return [Source(path, text, ast.parse(text, path)) for path, text in texts]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict:
    """`pyproject.toml` as it stands."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of the project."""
    return [source for folder in FOLDERS for source in _read(folder)]


@pytest.fixture(scope="session")
def product(sources: list[Source]) -> list[Source]:
    """The files that are installed: library, programs, command, schemas."""
    return [source for source in sources if source.path.startswith(tuple(f"{folder}/" for folder in PRODUCT))]
