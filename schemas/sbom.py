"""Writes the list of what the library is delivered with: `python -m schemas.sbom FILE`, in the form CycloneDX 1.6.

From the lock alone, so that a build needs no network and two builds of one state write the same bytes: it has neither
a time nor a random number. What only development needs is left out. Nothing but the standard library is imported, since
the build calls it before anything is installed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = "uhi-network (pyproject.toml)"
"""How the lock names us where we need a package ourselves; a group of development has its name behind a colon."""

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]*?))? *\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^ +# +(?:via(?: |$))?(?P<parent>.*)$")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock: its hashes are the SHA-256 of every file of that version, `parents` who needs it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    parents: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its name in every list of this kind."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(text: str) -> list[Pin]:
    """The packages of a lock, in order.

    Raises: ValueError for a line that says nothing known.
    """
    pins: list[Pin] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if found := _PIN.match(line):
            pins.append(Pin(found["name"], found["version"], found["marker"] or "", (), ()))
        elif pins and line.startswith(" "):
            pins[-1] = _with(pins[-1], line)
        else:
            raise ValueError(f"the lock has a line that is no package: {line}")
    return pins


def delivered(pins: Sequence[Pin]) -> list[Pin]:
    """What the library and its extras need, directly or by way of one another."""
    needed: set[str] = {OURS}
    while True:
        more = {pin.name for pin in pins if needed & set(pin.parents)} - needed
        if not more:
            return [pin for pin in pins if pin.name in needed]
        needed |= more


def sbom(lock: str, project: Mapping[str, object]) -> dict[str, object]:
    """The list as JSON; `project` is the table of that name in pyproject.toml."""
    pins = delivered(read_lock(lock))
    ours = f"pkg:pypi/{project['name']}@{project['version']}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": ours,
            }
        },
        "components": [_component(pin) for pin in pins],
        "dependencies": [
            {"ref": ours, "dependsOn": sorted(_needed_by(OURS, pins))},
            *({"ref": pin.purl, "dependsOn": sorted(_needed_by(pin.name, pins))} for pin in pins),
        ],
    }


def write_sbom(path: Path, *, root: Path = ROOT) -> None:
    """Write the list of the project in the folder `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    made = sbom((root / "requirements-dev.lock").read_text("utf-8"), project)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=2) + "\n", "utf-8")


def file_name(root: Path = ROOT) -> str:
    """What the file is called, by name and version of the project."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return f"{project['name']}-{project['version']}.cdx.json"


def _with(pin: Pin, line: str) -> Pin:
    """A package with what one more of its lines says."""
    hashes = (*pin.hashes, *_HASH.findall(line))
    via = _VIA.match(line)
    # `via` stands alone on its line where several need it.
    parent = via["parent"].strip() if via else ""
    return Pin(pin.name, pin.version, pin.marker, hashes, (*pin.parents, parent) if parent else pin.parents)


def _component(pin: Pin) -> dict[str, object]:
    marker = [{"name": "python:marker", "value": pin.marker}] if pin.marker else []
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "hashes": [{"alg": "SHA-256", "content": each} for each in sorted(set(pin.hashes))],
        "purl": pin.purl,
        **({"properties": marker} if marker else {}),
    }


def _needed_by(parent: str, pins: Sequence[Pin]) -> Iterator[str]:
    return (pin.purl for pin in pins if parent in pin.parents)


if __name__ == "__main__":
    write_sbom(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / file_name())
