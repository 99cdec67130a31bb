"""ABHA numbers and addresses: spelling, check digit, masks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participants.patient.people.abha import check_digit, masked, read_abha_address, read_abha_number

DIGITS = st.text("0123456789", min_size=13, max_size=13)


@pytest.mark.parametrize(("digits", "check"), [("236", "3"), ("12345", "1"), ("123456789012", "0")])
def test_check_digits_are_verhoeffs(digits, check):
    """Verhoeff 1969: the published examples of the algorithm."""
    assert check_digit(digits) == check


@given(DIGITS, st.integers(0, 13), st.integers(1, 9))
def test_every_mistyped_digit_is_noticed(digits, place, change):
    """Verhoeff 1969: any single error changes the check digit."""
    number = digits + check_digit(digits)
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]

    assert read_abha_number(number).replace("-", "") == number
    with pytest.raises(ValueError, match="check digit"):
        read_abha_number(wrong)


@given(DIGITS, st.integers(0, 12))
def test_neighbours_that_are_swapped_are_noticed(digits, place):
    """Verhoeff 1969: any transposition of two neighbours changes the check digit."""
    number = digits + check_digit(digits)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    assert swapped == number or check_digit(swapped[:-1]) != swapped[-1]


def test_numbers_are_read_in_three_spellings_and_without_the_check_where_it_is_off():
    """FHIR reference: fourteen digits, 91-XXXX-XXXX-XXXX."""
    number = "9112345678901"
    whole = number + check_digit(number)
    spelled = f"{whole[:2]}-{whole[2:6]}-{whole[6:10]}-{whole[10:]}"

    assert {read_abha_number(text) for text in (whole, spelled, spelled.replace("-", " "))} == {spelled}
    assert read_abha_number("91-0000-0000-0001", has_check_digit=False) == "91-0000-0000-0001"


@pytest.mark.parametrize("text", ["", "98-7654", "98-7654-3210-98765", "98_7654_3210_9876", "९११२३४५६७८९०१२"])
def test_what_is_no_number_is_refused_without_repeating_it(text):
    """Privacy rules: no identifier in an error."""
    with pytest.raises(ValueError, match="fourteen digits") as refused:
        read_abha_number(text)

    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["asha@", "@abdm", "asha verma@abdm", "asha..v@abdm", "asha@ABDM1", "a@b@c"])
def test_what_is_no_address_is_refused(text):
    """FHIR reference: name@abdm, sandbox @sbx."""
    with pytest.raises(ValueError, match="ABHA address"):
        read_abha_address(text)


def test_addresses_are_in_lower_case_and_masks_show_four_characters():
    """Privacy rules: masking; only the last four."""
    assert read_abha_address(" Asha.Verma@SBX ") == "asha.verma@sbx"
    assert masked("91-1234-5678-9012") == "*************9012"
    assert (masked(""), masked("abc"), masked("abcde")) == ("", "***", "****bcde")
