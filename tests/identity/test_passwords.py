"""Passwords: which are refused, what a hash costs, and that the check costs the same for everybody."""

from __future__ import annotations

from hashlib import sha1

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from tests.identity.house import CHEAP, PASSWORD
from uhi.errors import Refusal, SetupError
from uhi.faults import REQUEST_INVALID, SIGN_IN_FAILED
from uhi.identity.password_rules import check_breached, check_guessable, normalised
from uhi.identity.passwords import PasswordCost, Passwords

ABOUT = ("asha.rao@patients.example", "Asha Raghavan")


@pytest.mark.parametrize(
    "password",
    [
        *("", "elevensigns", "x" * 129, "fourteen signs"),
        *(
            "asha is my name, really",
            "mrs RAGHAVAN of Pune",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "abcdefghijklmnop",
        ),
        *("9876543210987654", "qwertyuiopasdfgh", "password12345678", "P@ssw0rd12345678", "!!!Welcome2026!!!"),
        *("hospitalhospital", "passwordpassword1"),
    ],
)
def test_password_that_is_easily_guessed_is_refused_without_being_quoted(password):
    """Rules on passwords: 15 to 128 characters where it is the only factor; none that is common, or about oneself."""
    with pytest.raises(Refusal) as refused:
        check_guessable(password, about=ABOUT, is_only_factor=True)

    assert (refused.value.fault, refused.value.path) == (REQUEST_INVALID, "password")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, "739104826519047", "तीन हरे छोटे तोते उड़ गए", "x9$kQ2#vR7!mZ4w", "bird" * 3 + "cage"]
)
def test_password_of_any_composition_is_taken(password):
    """Rules on passwords: no composition rules."""
    check_guessable(normalised(password), about=ABOUT, is_only_factor=True)


def test_shorter_password_will_do_beside_a_second_factor():
    """Rules on passwords: twelve characters, fifteen where it is the only factor."""
    check_guessable("plain purple", about=ABOUT, is_only_factor=False)

    with pytest.raises(Refusal):
        check_guessable("plain purple", about=ABOUT, is_only_factor=True)


@given(st.text(max_size=200))
def test_whatever_is_given_is_decided_on(password):
    """Ours: no text makes the check fail in another way than by refusing."""
    fault = None
    try:
        check_guessable(normalised(password), about=ABOUT, is_only_factor=True)
    except Refusal as refusal:
        fault = refusal.fault

    assert fault in {None, REQUEST_INVALID}


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=60), st.data())
def test_every_password_of_the_breached_file_is_found_and_no_other(tmp_path_factory, breached, data):
    """Rules on passwords: a breached-list check, by binary search in a sorted file."""
    path = tmp_path_factory.mktemp("breached") / "sorted.txt"
    lines = sorted(f"{sha1(each.encode()).hexdigest().upper()}:{n + 1}" for n, each in enumerate(breached))
    path.write_text("\r\n".join(lines) + "\r\n", newline="")
    wanted = data.draw(st.sampled_from(sorted(breached)) | st.text(min_size=1, max_size=8))

    try:
        check_breached(wanted, path)
        is_found = False
    except Refusal:
        is_found = True

    assert is_found is (wanted in breached)


async def test_breached_password_is_refused_when_it_is_chosen(tmp_path):
    """Rules on passwords: a breached-list check."""
    path = tmp_path / "breached.txt"
    path.write_text(f"{sha1(PASSWORD.encode()).hexdigest().upper()}:7\n")

    with pytest.raises(Refusal) as refused:
        await Passwords(CHEAP, breached=path).hash_new(PASSWORD, about=ABOUT, is_only_factor=True)

    assert "breach" in str(refused.value)
    with pytest.raises(SetupError):
        Passwords(CHEAP, breached=tmp_path / "missing.txt")


async def test_hash_is_argon2id_at_the_cost_that_is_required():
    """Rules on passwords: argon2id m=19,456 t=2 p=1."""
    passwords = Passwords()

    kept = await passwords.hash_new(PASSWORD, about=ABOUT, is_only_factor=True)

    cost = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert (cost.memory_cost, cost.time_cost, cost.parallelism) == (19_456, 2, 1)
    assert await passwords.check(PASSWORD, kept) is None


async def test_password_is_the_same_in_every_unicode_spelling():
    """Rules on passwords: NFKC."""
    passwords = Passwords(CHEAP)
    kept = await passwords.hash_new("Café crème Zoë ½ Å", about=(), is_only_factor=True)

    assert await passwords.check("Cafe\u0301 cre\u0300me Zoe\u0308 ½ \u212b", kept) is None


async def test_right_password_is_hashed_anew_when_the_cost_has_changed():
    """Rules on passwords: rehash on sign-in when parameters change."""
    kept = await Passwords(CHEAP).hash(PASSWORD)
    dearer = Passwords(PasswordCost(memory_kib=16, passes=2, lanes=1))

    better = await dearer.check(PASSWORD, kept)

    assert better
    assert await dearer.check(PASSWORD, better) is None


@pytest.mark.parametrize("kept", [None, "nonsense", ""])
async def test_nobody_is_let_in_without_a_hash(kept):
    """Ours: an account without a password, or with a damaged one, is closed, not open."""
    with pytest.raises(Refusal) as refused:
        await Passwords(CHEAP).check(PASSWORD, kept)

    assert refused.value.fault is SIGN_IN_FAILED
