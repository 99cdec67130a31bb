"""Puts the list of what the library is delivered with into the wheel (`*.dist-info/sboms`); see `schemas/sbom.py`."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SbomHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling asks for a subclass
    """Called by hatchling for every wheel; one that only points to the sources needs no list."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the list and have it put in."""
        if version == "editable":
            return
        root = Path(self.root)
        # The folder is not on the path of a build that stands alone.
        spec = spec_from_file_location("schemas_sbom", root / "schemas" / "sbom.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError("schemas/sbom.py")
        sbom = module_from_spec(spec)
        sys.modules[spec.name] = sbom  # where dataclasses look for the names in their annotations
        spec.loader.exec_module(sbom)
        path = root / "build" / sbom.file_name(root)
        sbom.write_sbom(path, root=root)
        build_data["sbom_files"].append(str(path.relative_to(root)))
