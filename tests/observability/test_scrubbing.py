"""What looks like a patient's number or address is masked in any text, and ids stay whole."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.observability.scrubbing import MASK, scrub


@pytest.mark.parametrize(
    "secret",
    [
        "91-1234-5678-9012",
        "91123456789012",
        "91 1234 5678 9012",
        "priya.sharma@abdm",
        "priya_1990@sbx",
        "priya.sharma@example.co.in",
        "priya@okhdfcbank",
        "9876543210",
        "+919876543210",
        "+91 98765 43210",
        "+91-9876543210",
        "09876543210",
        "98765-43210",
        "९८७६५४३२१०",
    ],
)
@pytest.mark.parametrize("around", ["{}", "tel:{}", "({}),", "mobile{} of", "x={};"])
def test_numbers_and_addresses_of_patients_are_masked(secret, around):
    """Rules on log redaction: ABHA number and address, Indian mobile number, e-mail, UPI address."""
    found = scrub(around.format(secret))

    assert MASK in found
    assert not any(part in found for part in (secret, secret[-7:]))


@given(st.uuids(version=4) | st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number)))
def test_ids_of_messages_stay(identifier):
    """A line that cannot be tied to its message helps nobody, and a UUID can hold ten digits in a row."""
    for text in (str(identifier), identifier.hex, f"transaction_id={identifier}"):
        assert scrub(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "created 1790000000, expires 1790000010",
        "nic2004:85111",
        "std:011",
        "@abdm/gov.in/consumer",
        "HTTP 401 in 12.5 ms",
    ],
)
def test_what_operators_need_stays(text):
    """Times, domains, cities, tag names and statuses are not numbers of patients."""
    assert scrub(text) == text


@given(st.text())
def test_any_text_can_be_scrubbed(text):
    """Masking twice changes nothing."""
    assert scrub(scrub(text)) == scrub(text)
