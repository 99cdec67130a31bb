"""The headers we send: never the same one twice for one body and receiver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import SetupError
from uhi.exchange import stamps as module
from uhi.exchange.stamps import Stamps
from uhi.signing import BECKN, UHI, PrivateKey, Signer, body_digest
from uhi.signing.authorization import parse
from uhi.signing.verify import Window, check_window, verify_digest

KEY = PrivateKey(bytes(range(32)))
NOW = 1_790_000_000.0
DIGEST = body_digest(b"{}")


def stamps(profile=UHI) -> Stamps:
    return Stamps(Signer("app.example", "k1", KEY, profile))


def test_header_verifies_and_lives_as_long_as_the_profile_says():
    """Decision 12: 10 s for UHI, 300 s for BECKN."""
    for profile, life in ((UHI, 10), (BECKN, 300)):
        header = parse(stamps(profile).header(DIGEST, receiver="clinic", now=NOW + 0.9))

        assert (header.created, header.expires) == (NOW, NOW + life)
        verify_digest(DIGEST, header, key=KEY.public, profile=profile)


def test_second_header_for_one_receiver_lives_a_second_longer():
    """Decision 13: then `expires` grows by one."""
    mine = stamps()

    lives = [parse(mine.header(DIGEST, receiver="clinic", now=NOW)).expires - NOW for _ in range(4)]

    assert lives == [10, 11, 12, 13]


def test_other_receivers_and_other_bodies_are_not_touched():
    """Decision 13: the rule is per body and receiver."""
    mine = stamps()
    mine.header(DIGEST, receiver="clinic", now=NOW)

    other_receiver = parse(mine.header(DIGEST, receiver="other", now=NOW))
    other_body = parse(mine.header(body_digest(b"[]"), receiver="clinic", now=NOW))

    assert (other_receiver.expires, other_body.expires) == (NOW + 10, NOW + 10)


def test_retry_after_a_first_round_has_a_new_header():
    """Decision 13: the first round's header went to everybody."""
    mine = stamps()
    first = mine.unseen(DIGEST, now=NOW)

    assert mine.header(DIGEST, receiver="clinic", now=NOW) != first


SENDING = st.tuples(st.sampled_from(["", "a", "b"]), st.integers(0, 30), st.sampled_from([DIGEST, body_digest(b"[]")]))


@given(st.lists(SENDING, max_size=40))
def test_nobody_ever_gets_the_same_header_twice(sendings):
    """Decision 13, whatever the order, and though the clock is set back; every header is one that verifies."""
    mine = stamps()
    seen: set[tuple[str, str]] = set()

    for receiver, seconds, digest in sendings:
        made = mine.header(digest, receiver=receiver, now=NOW + seconds)
        for each in ("a", "b") if not receiver else (receiver,):
            assert (each, made) not in seen
            seen.add((each, made))
        check_window(parse(made), now=NOW + seconds, window=Window())


def test_memory_holds_only_bodies_whose_headers_still_live(monkeypatch):
    """Ours: bounded, and looked through seldom."""
    monkeypatch.setattr(module, "_SWEEP_AT", 10)
    mine = stamps()
    mine._sweep_at = 10

    for number in range(1_000):
        mine.header(str(number), receiver="clinic", now=NOW + number)

    assert len(mine._spent) <= 2 * 12


def test_attempt_and_audit_copy_of_one_second_have_headers_of_their_own():
    """Decision 13: every retry and every audit copy gets a new header, whoever receives it."""
    mine = stamps()

    headers = [mine.unseen(DIGEST, now=NOW) for _ in range(3)]

    assert len(set(headers)) == 3


def test_clock_that_was_set_back_makes_no_header_that_lives_too_long():
    """Ours: a header made by a clock that was an hour ahead must not lengthen those that come after it."""
    mine = stamps()
    mine.header(DIGEST, receiver="clinic", now=NOW + 3_600)

    header = parse(mine.header(DIGEST, receiver="clinic", now=NOW))

    assert (header.created, header.expires) == (NOW, NOW + 10)


def test_key_is_changed_for_another_of_the_same_subscriber_only():
    """Ours: rotation changes the key, never who signs."""
    mine = stamps()
    new = Signer("app.example", "k2", PrivateKey.new(), UHI)

    mine.switch(new)

    assert parse(mine.header(DIGEST, receiver="clinic", now=NOW)).key_id == "k2"
    with pytest.raises(SetupError):
        mine.switch(Signer("other.example", "k2", new.key, UHI))
