"""Keys of access tokens: private files, one schedule for all processes, published before and after they sign."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from tests.identity.lobby import an_rsa_key, key_folder
from uhi.errors import SetupError
from uhi.identity.token_keys import Rotation, TokenKeys
from uhi.testing import FakeClock

DAY = 86_400.0


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    return key_folder(tmp_path / "keys", signs_from=int(clock.now()))


def published(keys: TokenKeys) -> list[object]:
    return [key["kid"] for key in keys.jwks()["keys"]]


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(tmp_path: Path, clock: FakeClock):
    """The issue: folder 0700, files 0600, a key of at least 2,048 bits."""
    keys = TokenKeys.open(tmp_path / "of" / "tokens", clock=clock)

    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [tmp_path / "of" / "tokens", *keys_in(tmp_path)]}
    assert modes == {"tokens": "0o700", f"{int(clock.now())}.pem": "0o600"}
    assert keys.current().pair.raw_value.key_size == 2_048
    assert published(keys) == [keys.current().id]


def keys_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.pem"))


def test_of_many_first_starts_at_once_one_makes_the_key(tmp_path: Path, clock: FakeClock):
    """The issue: several processes of one machine share the folder."""
    with ThreadPoolExecutor(6) as starts:
        opened = list(starts.map(lambda _: TokenKeys.open(tmp_path / "keys", clock=clock), range(6)))

    assert len({keys.current().id for keys in opened}) == 1
    assert len(keys_in(tmp_path)) == 1


def test_public_halves_are_published_and_nothing_else(folder: Path, clock: FakeClock):
    """RFC 7517: a key set for strangers."""
    (key,) = TokenKeys.open(folder, clock=clock).jwks()["keys"]

    assert {**key, "n": "", "kid": ""} == {"kty": "RSA", "n": "", "e": "AQAB", "kid": "", "use": "sig", "alg": "RS256"}
    assert json.dumps(key)


async def test_the_next_key_is_published_a_day_before_it_signs(folder: Path, clock: FakeClock):
    """Security, IAM: rotated every 90 days with overlap."""
    keys = TokenKeys.open(folder, clock=clock)
    first = keys.current().id

    await clock.advance(89 * DAY - 1)
    before = published(keys)
    await clock.advance(61)
    overlap, still = published(keys), keys.current().id
    await clock.advance(DAY)

    assert (before, overlap[0], len(overlap), still) == ([first], first, 2, first)
    assert keys.current().id == overlap[1]


async def test_the_last_key_is_published_until_its_tokens_are_over_and_then_deleted(folder: Path, clock: FakeClock):
    """Security, IAM: the old one stays for the life of a token and the leeway."""
    keys = TokenKeys.open(folder, clock=clock, rotation=Rotation(after=630.0))
    first = keys.current().id
    await clock.advance(89 * DAY)
    keys.jwks()

    await clock.advance(DAY + 630)
    kept = keys.by_id(first)
    await clock.advance(61)

    assert kept is not None
    assert keys.by_id(first) is None
    assert len(keys_in(folder)) == 1


async def test_a_key_that_another_process_made_is_known_within_a_minute(folder: Path, clock: FakeClock):
    """The issue: long before it signs, every process verifies with it."""
    ours, theirs = (TokenKeys.open(folder, clock=clock) for _ in range(2))
    await clock.advance(89 * DAY)
    made = published(theirs)[1]

    await clock.advance(60)

    assert ours.by_id(str(made)) is not None
    assert len(keys_in(folder)) == 2


@pytest.mark.case("IAM-11")
@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_is_open_to_others_is_refused(folder: Path, clock: FakeClock, mode: int):
    """The network's key storage rules."""
    folder.chmod(mode)

    with pytest.raises(SetupError, match="open to others"):
        TokenKeys.open(folder, clock=clock)


@pytest.mark.case("IAM-11")
def test_a_key_that_is_open_to_others_is_refused(folder: Path, clock: FakeClock):
    """The network's key storage rules."""
    keys_in(folder)[0].chmod(0o644)

    with pytest.raises(SetupError, match="open to others"):
        TokenKeys.open(folder, clock=clock)


def a_short_key() -> bytes:
    key = rsa.generate_private_key(65_537, 1_024)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


UNUSABLE = {
    "empty": b"",
    "cut": b"-----BEGIN",
    "of another kind": ECKey.generate_key("P-256").as_pem(private=True),
    "short": a_short_key(),
    "public": an_rsa_key().as_pem(private=False),
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_rsa_key_is_refused(folder: Path, clock: FakeClock, content: bytes):
    """Ours: found at the start, not at the first sign-in."""
    keys_in(folder)[0].write_bytes(content)

    with pytest.raises(SetupError, match="no RSA private key"):
        TokenKeys.open(folder, clock=clock)


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path, clock: FakeClock):
    """Ours: the operator is told, in our words."""
    (tmp_path / "keys").touch()

    with pytest.raises(SetupError, match="access tokens"):
        TokenKeys.open(tmp_path / "keys", clock=clock)


def open_to_others(folder: Path) -> None:
    folder.chmod(0o755)


async def test_what_cannot_be_looked_at_later_does_not_stop_who_has_keys(folder: Path, clock: FakeClock, caplog):
    """Ours: sign-in goes on while an operator repairs the folder, who is told of it."""
    keys = TokenKeys.open(folder, clock=clock)
    current = keys.current().id
    open_to_others(folder)

    with caplog.at_level(logging.ERROR):
        await clock.advance(61)
        later = keys.current().id

    assert later == current
    assert "open to others" in caplog.text


async def test_after_long_absence_the_old_key_signs_until_the_new_one_is_known(folder: Path, clock: FakeClock):
    """Ours: a new key has its day before it signs, whenever it is made."""
    await clock.advance(400 * DAY)
    keys = TokenKeys.open(folder, clock=clock)
    old, new = published(keys)

    first = keys.current().id
    await clock.advance(DAY)

    assert (first, keys.current().id) == (old, new)
