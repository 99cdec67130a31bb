"""The layers: what may import what, and that nobody loosens the contracts that say so."""

from __future__ import annotations

from importlinter.cli import lint_imports


def test_every_import_respects_the_layers(root, monkeypatch, capsys):
    """Ours: the layer diagram, one contract for the top level and one inside the library."""
    monkeypatch.chdir(root)

    outcome = lint_imports(config_filename="pyproject.toml", no_cache=True)

    assert outcome == 0, capsys.readouterr().out


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
