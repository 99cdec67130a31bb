"""The key of digests: one for all processes, sealed, and closed without its key."""

from __future__ import annotations

import asyncio

import pytest

from uhi.errors import SetupError
from uhi.identity.store import IdentityStore, digest_of_token, new_token
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.testing.clock import FakeClock


@pytest.fixture
async def databases(database_url):
    """One database, as two processes have it open."""
    opened = [Database.open(database_url, clock=FakeClock(jumps=False)) for _ in range(2)]
    yield opened
    for each in opened:
        await each.aclose()


def store(database: Database, *, key: bytes = b"k") -> IdentityStore:
    """Identity on it."""
    return IdentityStore(database, sealing=Sealing([key * 32]), clock=database.clock)


async def test_processes_that_begin_at_once_make_the_same_digests(databases):
    """Rules on data at rest: a blind index finds what another process wrote."""
    one, two = await asyncio.gather(*[store(each).keyed() for each in databases])

    assert one.of("email", "a@b.example") == two.of("email", "a@b.example")
    assert one.of("email", "a@b.example") != one.of("phone", "a@b.example")
    assert "key" not in repr(one)


@pytest.mark.case("IAM-10")
async def test_wrong_key_fails_closed(databases):
    """Rules on data at rest: with another key there are no digests, rather than other ones."""
    await store(databases[0]).keyed()

    with pytest.raises(SetupError):
        await store(databases[1], key=b"w").keyed()


async def test_what_is_returned_as_an_error_is_raised_and_what_was_written_stays(databases):
    """Ours: a count of failures must outlive the failure."""
    identity = store(databases[0])
    await identity.keyed()

    def work(connection):
        connection.exec_driver_sql("UPDATE identity_key SET created_at = 7.0")
        return ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await identity.decide(work)
    kept = await databases[1].read(
        lambda connection: connection.exec_driver_sql("SELECT created_at FROM identity_key").scalar_one()
    )
    assert kept == 7.0


def test_tokens_have_256_bits_and_are_found_by_their_digest():
    """Ours: whoever reads the database has no token."""
    tokens = {new_token() for _ in range(100)}

    assert {len(each) for each in tokens} == {43}
    assert len({digest_of_token(each) for each in tokens}) == 100
    assert len(digest_of_token("\ud800")) == 64
