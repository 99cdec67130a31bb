"""How addresses and names are spelled: one spelling each, and nothing in them that does not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.identity.people import read_email, read_name


@given(st.builds("{}@{}.example".format, st.text(min_size=1, max_size=5), st.text(min_size=1, max_size=5)))
def test_spelling_of_an_address_is_its_own_spelling(text):
    """Ours: an address that is read again, as at every further sign-in, is still the same account's."""
    try:
        email = read_email(text)
    except Refusal:
        return

    assert read_email(email) == email
    assert email.isprintable()


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u00ad", "\x80", "\ufeff", "\n", "\r", "\x00"])
def test_address_with_a_sign_that_does_not_show_is_refused(sign):
    """Ours: two addresses that look alike would be two accounts, and a line break another header."""
    with pytest.raises(Refusal):
        read_email(f"asha{sign}x@clinic.example")


@pytest.mark.parametrize("name", ["\u0917\u094b\u0930\u094d\u200d\u0939\u0947", "\u0d05\u0d28\u0d3f\u0d32\u0d4d\u200d"])
def test_name_in_an_indian_script_keeps_its_joiners(name):
    """Ours: Marathi and Malayalam names are written with U+200D."""
    assert read_name(name) == name


@pytest.mark.parametrize("name", ["", " ", "\u200d", "Asha\u202eoaR", "Asha\x00"])
def test_name_that_does_not_show_is_refused(name):
    """Ours: what an administrator reads is what is written."""
    with pytest.raises(Refusal):
        read_name(name)
