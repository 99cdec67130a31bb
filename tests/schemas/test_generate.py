"""The generated schemas: none is stale, and `--check` would say so."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from schemas import generate


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with freshly written schemas."""
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    generate.main([])
    return tmp_path


def test_the_schemas_are_those_of_the_models(capsys):
    """Ours: a model and its schema change together."""
    code = generate.main(["--check"])

    assert (code, capsys.readouterr().out) == (0, "")


def test_a_changed_a_lost_and_a_foreign_file_are_stale(folder, capsys):
    """Ours: what stands in the folder is what is generated, nothing else."""
    (folder / "init.json").write_text("{}")
    (folder / "cancel.json").unlink()
    (folder / "track.json").write_text("{}")

    code = generate.main(["--check"])

    assert code == 1
    assert [line.split()[0].rsplit("/", 1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "cancel.json",
        "init.json",
        "track.json",
    ]


def test_writing_puts_the_folder_right(folder):
    """Ours: writing also removes what is not generated any more."""
    (folder / "init.json").write_text("{}")
    (folder / "track.json").write_text("{}")

    generate.main([])

    assert generate.main(["--check"]) == 0


def test_every_schema_is_a_schema(folder):
    """JSON Schema 2020-12: each file fits the dialect it names, and its id is its own."""
    schemas = [json.loads((folder / f"{name}.json").read_text()) for name in generate.ENTRIES]

    for schema in schemas:
        Draft202012Validator.check_schema(schema)

    assert len({schema["$id"] for schema in schemas}) == len(schemas)


def test_a_callback_may_fail_and_a_request_may_not(folder):
    """UHI: a callback may carry an error in place of its message; a request has a message."""
    body = {"context": {"domain": "d", "action": "a", "message_id": "m"}, "error": {"type": "t", "code": "1"}}

    callback, request = (json.loads((folder / f"{name}.json").read_text()) for name in ("on_init", "init"))

    assert Draft202012Validator(callback).is_valid(body)
    assert not Draft202012Validator(request).is_valid(body)
