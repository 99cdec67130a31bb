"""The layers: what may import what, and that nobody loosens the contracts that say so."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: import-linter sets up logging and silences every logger that exists by then, after which
# tests of what is logged, and of what is not, would see nothing.
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports('pyproject.toml', no_cache=True))"


def test_every_import_respects_the_layers(root):
    """Ours: the layer diagram, one contract for the top level and one inside the library."""
    done = subprocess.run([sys.executable, "-c", LINT], cwd=root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_module_of_the_library_must_declare_its_layer(pyproject):
    """Ours: the contract inside the library is exhaustive and makes no exception."""
    contracts = {contract["id"]: contract for contract in pyproject["tool"]["importlinter"]["contracts"]}

    library = contracts["library"]

    assert set(contracts) == {"top", "library", "testing", "pure"}
    assert library["exhaustive"] is True
    assert not {"exhaustive_ignores", "ignore_imports"} & set(library)


def test_only_the_test_network_may_look_up_to_the_programs(pyproject):
    """Ours: `uhi.testing` runs gateway and participants in one process; the rest of the library never imports them."""
    contracts = pyproject["tool"]["importlinter"]["contracts"]

    ignored = [line for contract in contracts for line in contract.get("ignore_imports", [])]

    assert ignored
    assert [line for line in ignored if not line.startswith("uhi.testing")] == []
