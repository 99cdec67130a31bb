"""Pushed changes as values, and as the short text that the processes of a program pass on."""

from __future__ import annotations

import pytest

from uhi.registry.changes import Change, read, write
from uhi.subscribers import REVOKED, SUBSCRIBED, KeyRef, Role

REF = KeyRef("clinic.example", "k1", Role.PROVIDER)


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (Change(1, "clinic.example", SUBSCRIBED, frozenset({"k1", "k2"})), False),
        (Change(1, "clinic.example", SUBSCRIBED, frozenset({"k2"})), True),
        (Change(1, "clinic.example", REVOKED, frozenset({"k1"})), True),
        (Change(1, "other.example", REVOKED, frozenset()), False),
    ],
)
def test_change_ends_what_is_active_no_more(change, ends):
    """Decision 26: the keys that are told are those active now; without SUBSCRIBED there are none."""
    assert change.ends(REF) is ends


def test_change_is_read_as_it_was_written():
    """Ours: every process of a program drops the same."""
    change = Change(41, "clinic.example", SUBSCRIBED, frozenset({"k1", "k2"}))

    assert read(write(change)) == change


def test_text_of_a_change_is_short_however_many_keys_there_are():
    """Ours: a signal holds a thousand bytes; who is left out is looked up anew, never trusted for longer."""
    keys = frozenset(f"{number:0200}" for number in range(20))

    text = write(Change(41, "c" * 255, SUBSCRIBED, keys))

    assert len(text) < 1_000
    assert read(text).keys < keys


@pytest.mark.parametrize("text", ["clinic.example", "", "[]", "[1]", '["a","b","c"]'])
def test_other_texts_are_no_changes(text):
    """Ours: a bare subscriber id says that it has another key."""
    assert read(text) is None
