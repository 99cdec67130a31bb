"""Dependencies: what is imported is declared, what is declared is locked, and the lock names no index."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = {"cli", "gateway", "participants", "schemas", "uhi"}
PART_OF = {"multidict": "aiohttp", "pydantic_core": "pydantic", "yarl": "aiohttp"}
"""Packages whose names are part of another one's documented interface, and whose version that one settles."""


@pytest.fixture
def locked(root) -> dict[str, str]:
    """Name and version of every package of the lock."""
    text = (root / "requirements-dev.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, flags=re.MULTILINE))


def test_every_import_of_the_product_is_declared(product, pyproject):
    """Ours: whoever installs the wheel has what it imports; nothing comes in by way of another package."""
    project = pyproject["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    declared = {canonicalize_name(Requirement(text).name) for text in texts}
    providers = packages_distributions()

    foreign = {name for source in product for name in source.imports()} - OURS - set(sys.stdlib_module_names)

    makers = {
        name: {canonicalize_name(maker) for maker in providers.get(PART_OF.get(name, name), [])} for name in foreign
    }
    assert {name for name in foreign if not declared & makers[name]} == set()


def test_every_declared_dependency_is_locked(pyproject, locked):
    """Ours: `make lock` follows a change of dependencies, so that every machine builds from the same hashes."""
    project = pyproject["project"]
    groups = [*project["optional-dependencies"].values(), *pyproject["dependency-groups"].values()]
    texts = [*project["dependencies"], *(text for group in groups for text in group if isinstance(text, str))]

    wanted = [requirement for requirement in map(Requirement, texts) if requirement.name != project["name"]]

    stale = [str(want) for want in wanted if locked.get(canonicalize_name(want.name), "0") not in want.specifier]
    assert stale == []


def test_every_locked_package_has_hashes_and_no_address(root):
    """Ours: the lock is used with `--require-hashes` and leaves the choice of index to the machine."""
    text = (root / "requirements-dev.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[^#\s].*\n(?: +--hash.*\n)*", text, flags=re.MULTILINE)

    assert pins
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


def test_the_extra_all_has_every_other_extra(pyproject):
    """Ours: `uhi-network[all]` installs everything optional."""
    extras = pyproject["project"]["optional-dependencies"]

    everything = Requirement(extras["all"][0]).extras

    assert everything == set(extras) - {"all"}
