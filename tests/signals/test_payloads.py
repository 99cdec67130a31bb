"""How signals are spelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uhi.signals import payloads

TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40), min_size=1)


@given(TEXTS)
def test_what_is_written_is_read_in_order_and_fits(texts):
    """PostgreSQL takes less than 8,000 bytes: many texts share a payload, and none is too long."""
    written = list(payloads.write("one", texts, longest=200))

    read = [payloads.read(each) for each in written]

    assert [text for _, of_one in read for text in of_one] == texts
    assert {instance for instance, _ in read} == {"one"}
    assert all(len(each.encode()) <= 200 for each in written)


def test_a_wake_up_is_an_empty_text():
    """The port: letters are due, and that is all there is to say. Transactions write the same by themselves."""
    assert list(payloads.write("one", [""], longest=100)) == ["one "]
    assert payloads.read("one ") == ("one", [""])


def test_texts_of_several_lines_or_too_long_cannot_be_told():
    """Ours: a payload is read line by line."""
    assert payloads.is_one_line("an-id", longest=5)
    assert not payloads.is_one_line("two\nlines", longest=50)
    assert not payloads.is_one_line("é" * 3, longest=5)
