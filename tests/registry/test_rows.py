"""From rows to records: the parts that no lookup shows by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.messages.lookup import read_lookup_answer
from uhi.messages.times import parse_time
from uhi.registry.rows import choose, clean_url, moment_text, read_rows

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = (
    *("subscriber_id", "type", "status", "domain", "country", "city", "subscriber_url", "url", "pub_key_id"),
    *("encr_public_key", "signing_public_key", "valid_from", "valid_until", "valid_to", "expires"),
    *("signing_profile", "domains", "cities", "fulfilment_types"),
)


@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=10), max_size=3), _JSON)
def test_no_row_makes_the_reader_fail(rows, value):
    """Ours: a registry's row gives a record or nothing, never an exception."""
    changed = [{"subscriber_id": "a", "type": "HSPA", **row, "encr_public_key": value} for row in rows]

    assert read_rows(read_lookup_answer(changed)) == []


def test_row_without_validity_is_valid_for_ever(make_row):
    """Older registry forms leave null fields out; what is there and unreadable is refused instead."""
    [record] = read_rows(read_lookup_answer([make_row(valid_from=None, valid_until=None)]))

    assert record.key.valid_from == 0.0
    assert record.key.valid_until > 2e11


def test_nothing_is_chosen_from_nothing():
    """Ours."""
    assert choose([]) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://clinic.example/uhi/", "https://clinic.example/uhi"),
        ("  http://clinic.example:8080 ", "http://clinic.example:8080"),
        ("https: //clinic.example", ""),
        ("javascript:alert(1)", ""),
        ("https://[", ""),
        ("clinic.example", ""),
        ("", ""),
    ],
)
def test_address_is_cleaned_or_dropped(text, url):
    """UHI accept and emit: keep raw, call only a cleaned address from the registry."""
    assert clean_url(text) == url


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_767_225_600.25, "2026-01-01T00:00:00.250Z"),
        (float("inf"), "9998-01-01T00:00:00.000Z"),
    ],
)
def test_moments_are_written_as_registries_write_them(seconds, text):
    """Network registry: `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`."""
    assert moment_text(seconds) == text
    assert parse_time(text).timestamp() == min(seconds, 253_339_228_800.0)
