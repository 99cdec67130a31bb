"""Doubting a trail: whatever was done to its rows, the first bad one is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.deeds import chained, deed
from uhi.audit.chain import NAMES, Head, canonical, hash_of, link_after
from uhi.audit.verify import Doubt, Witness, verify
from uhi.errors import AuditBroken

ROWS = chained(8)
TEXTS = [name for name in NAMES if name not in {"seq", "at"}]


def bad_row(rows, *witnesses):
    """The row that is named."""
    with pytest.raises(AuditBroken) as caught:
        verify(rows, witnesses=witnesses)
    return caught.value.seq


def again(rows, after):
    """Rows with every hash computed anew behind a head."""
    made = []
    for row in rows:
        bare = replace(row, seq=after.seq + 1, prev_hash=after.hash)
        made.append(replace(bare, hash=hash_of(bare)))
        after = made[-1].head
    return made


def test_a_trail_as_it_was_written_is_sound():
    """Security rules, audit log: the verifier checks rows."""
    assert verify(ROWS) == ROWS[-1].head
    assert verify([]) == Head()
    assert verify(ROWS[3:], start=ROWS[2].head) == ROWS[-1].head


def test_an_edited_row_is_named():
    """Security rules, audit log: the first bad seq."""
    assert bad_row([*ROWS[:4], replace(ROWS[4], actor="somebody"), *ROWS[5:]]) == 5


def test_an_edited_row_with_a_fitting_hash_is_named():
    """Ours: the row after it was chained to another one."""
    edited = replace(ROWS[4], actor="somebody")
    edited = replace(edited, hash=hash_of(edited))

    assert bad_row([*ROWS[:4], edited, *ROWS[5:]]) == 5


def test_a_deleted_row_is_named():
    """Security rules, audit log: a gap."""
    assert bad_row([*ROWS[:2], *ROWS[3:]]) == 3


def test_a_deleted_row_is_named_though_the_later_ones_were_renumbered():
    """Ours: the hash covers the number."""
    renumbered = [replace(row, seq=row.seq - 1) for row in ROWS[3:]]

    assert bad_row([*ROWS[:2], *renumbered]) == 3


def test_swapped_rows_are_named():
    """Ours: two rows that change places, with or without their numbers."""
    swapped = [*ROWS]
    swapped[2], swapped[5] = replace(ROWS[5], seq=3), replace(ROWS[2], seq=6)

    assert bad_row(swapped) == 3
    assert bad_row([*ROWS[:2], ROWS[5], *ROWS[3:]]) == 3


def test_a_row_put_in_is_named():
    """Ours: two rows cannot have one number."""
    put_in = link_after(ROWS[3].head, deed(99))

    assert bad_row([*ROWS[:4], put_in, *ROWS[4:]]) == 5


def test_a_truncated_trail_is_named_by_whoever_saw_its_end():
    """Security rules, audit log: the head in the database is one such witness, a checkpoint another."""
    head = Witness(ROWS[-1].head, "the head")

    assert bad_row(ROWS[:5], head) == 6
    assert bad_row([], head) == 1


def test_a_complete_recompute_is_named_by_a_checkpoint_alone():
    """Security rules, audit log: anchor; between two checkpoints the first row that may be another is named."""
    forged = again([*ROWS[:5], replace(ROWS[5], actor="somebody"), *ROWS[6:]], Head())
    witnesses = [Witness(ROWS[at].head, "a checkpoint") for at in (6, 3)]

    assert verify(forged).seq == 8
    assert bad_row(forged, *witnesses) == 5


def test_rows_beyond_the_databases_own_head_are_named():
    """Ours: what was put in past the program has not moved the head."""
    doubt = Doubt()
    for row in ROWS:
        doubt.look(row)

    with pytest.raises(AuditBroken) as caught:
        doubt.end(newest=6)

    assert caught.value.seq == 7


@given(at=st.integers(0, 7), name=st.sampled_from(TEXTS), text=st.text(max_size=8))
def test_any_single_change_of_a_text_is_found(at, name, text):
    """Issue: the verifier names the first bad row, whichever column was changed."""
    if getattr(ROWS[at], name) == text:
        text += "x"
    changed = [*ROWS]
    changed[at] = replace(ROWS[at], **{name: text})

    assert bad_row(changed) == at + 1


@given(at=st.integers(0, 7), time=st.floats(allow_nan=False, allow_infinity=False))
def test_any_single_change_of_a_time_is_found(at, time):
    """Issue: however small the change."""
    if time == ROWS[at].at:
        time += 1.0
    changed = [*ROWS]
    changed[at] = replace(ROWS[at], at=time)

    assert bad_row(changed) == at + 1


@given(st.permutations(range(8)))
def test_any_other_order_is_found(order):
    """Ours: the first row out of its place is named."""
    first = next((at for at, which in enumerate(order) if at != which), None)
    rows = [replace(ROWS[which], seq=at + 1) for at, which in enumerate(order)]

    if first is not None:
        assert bad_row(rows) == first + 1


@given(st.sets(st.integers(0, 6), min_size=1))
def test_any_removal_before_the_end_is_found(gone):
    """Ours: the first row that is missing is named."""
    assert bad_row([row for at, row in enumerate(ROWS) if at not in gone]) == min(gone) + 1


@given(st.lists(st.text(max_size=6), min_size=9, max_size=9), st.lists(st.text(max_size=6), min_size=9, max_size=9))
def test_different_rows_have_different_bytes(first, second):
    """Ours: no two rows are spelled the same, wherever a text ends and the next begins."""
    names = [name for name in TEXTS if name in NAMES[:-2]][:9]
    one, other = (replace(ROWS[0], **dict(zip(names, texts, strict=True))) for texts in (first, second))

    assert (canonical(one) == canonical(other)) is (first == second)


def test_a_value_that_no_row_can_hold_is_a_bad_row():
    """Ours: SQLite keeps bytes in a column of texts."""
    assert bad_row([replace(ROWS[0], actor=b"bytes"), *ROWS[1:]]) == 1


def test_the_hash_of_a_row_is_pinned():
    """Ours: a later release reads what this one wrote."""
    assert ROWS[0].hash == "2928a69ee228fa8b3213f87f7969656a5a5e95b526071dc0291ecbd821610f7b"
