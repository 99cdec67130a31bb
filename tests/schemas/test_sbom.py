"""The SBOM: everything that is delivered, nothing else, with version and hashes, the same bytes each time."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from importlib.util import find_spec

import pytest
from jsonschema import Draft7Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from referencing import Registry, Resource

from schemas.sbom import ROOT, delivered, file_name, read_lock, sbom, write_sbom

LOCK = """\
# made by a tool
alpha==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via uhi-network (pyproject.toml)
beta==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:{b}
    # via
    #   alpha
    #   gamma
gamma==3.0 \\
    --hash=sha256:{a}
    # via uhi-network (pyproject.toml:dev)
""".format(a="a" * 64, b="b" * 64)
PROJECT = {"name": "uhi-network", "version": "1.2", "license": "Apache-2.0", "description": "words"}


@pytest.fixture
def made(tmp_path) -> dict:
    """The project's own, read back."""
    path = tmp_path / "new folder" / file_name()
    write_sbom(path)
    return json.loads(path.read_text())


def test_every_runtime_dependency_is_in_it_with_version_and_hash(made):
    """Issue: SBOM made at build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    wanted = {canonicalize_name(Requirement(text).name) for text in texts} - {"uhi-network"}

    listed = {each["name"]: each for each in made["components"]}

    assert wanted <= set(listed)
    assert all(each["version"] and each["hashes"] for each in listed.values())


def test_what_only_development_needs_is_not_in_it(made):
    """Ours: it says what a hospital gets, not what we test with."""
    names = {each["name"] for each in made["components"]}

    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "coverage", "hatchling"}


def test_what_is_needed_by_way_of_another_is_in_it():
    """Ours: the lock says who needs what."""
    assert [pin.name for pin in delivered(read_lock(LOCK))] == ["alpha", "beta"]


@pytest.mark.parametrize("line", ["delta[extra]==1.0 \\", "delta @ https://example.org/delta.whl", "Delta==1.0"])
def test_a_line_that_is_no_pin_is_not_passed_over(line):
    """Ours: a package that is missing in the list is worse than no list."""
    with pytest.raises(ValueError, match="no package"):
        read_lock(f"{LOCK}{line}\n")


def test_a_component_tells_versions_hashes_and_who_needs_it():
    """CycloneDX 1.6: components, dependencies."""
    made = sbom(LOCK, PROJECT)

    beta = made["components"][1]
    assert (beta["purl"], beta["hashes"]) == ("pkg:pypi/beta@2.0", [{"alg": "SHA-256", "content": "b" * 64}])
    assert beta["properties"] == [{"name": "python:marker", "value": "python_full_version < '3.12'"}]
    assert made["dependencies"] == [
        {"ref": "pkg:pypi/uhi-network@1.2", "dependsOn": ["pkg:pypi/alpha@1.0"]},
        {"ref": "pkg:pypi/alpha@1.0", "dependsOn": ["pkg:pypi/beta@2.0"]},
        {"ref": "pkg:pypi/beta@2.0", "dependsOn": []},
    ]


def test_two_builds_write_the_same_bytes(tmp_path):
    """Ours: neither a time nor a random number."""
    for name in ("one", "two"):
        write_sbom(tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_it_is_valid_cyclonedx(made):
    """CycloneDX 1.6, its published JSON schema."""
    if find_spec("cyclonedx") is None:
        pytest.skip("cyclonedx-python-lib, which brings the schema, is not installed")
    folder = files("cyclonedx.schema") / "_res"
    names = ("bom-1.6", "spdx", "jsf-0.82")
    schemas = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8")) for name in names}
    # The library's copies name one another by its own file names.
    bom = schemas["bom-1.6"] | {"$id": "https://example.org/bom"}
    registry = Registry().with_resources(
        (f"https://example.org/{name}.SNAPSHOT.schema.json", Resource.from_contents(each | {"$id": ""}))
        for name, each in schemas.items()
    )

    errors = list(Draft7Validator(bom, registry=registry).iter_errors(made))

    assert errors == []


def test_a_lock_that_begins_with_something_else_is_refused():
    """Ours: a line that is not understood must not pass as a package without hashes."""
    with pytest.raises(ValueError, match="no package"):
        read_lock("    --hash=sha256:aa\n")
