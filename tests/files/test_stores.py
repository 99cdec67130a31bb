"""What every file store does: a folder of this machine and a bucket alike."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from uhi.errors import FileMissing, SetupError

CONTENT = bytes(range(256)) * 64


def a_key() -> str:
    return f"chat/{secrets.token_hex(16)}"


async def test_a_file_comes_back_as_it_was_put(store):
    """Issue: object storage port."""
    key = a_key()

    await store.put(key, CONTENT, content_type="application/octet-stream")

    assert await store.has(key)
    assert await store.get(key) == CONTENT


async def test_a_file_of_nothing_is_a_file(store):
    """Object storage port: presence is not size."""
    key = a_key()

    await store.put(key, b"")

    assert (await store.has(key), await store.get(key)) == (True, b"")


async def test_the_last_of_two_puts_stays(store):
    """Object storage port: a file is put in the place of another."""
    key = a_key()
    await store.put(key, CONTENT)

    await store.put(key, b"other")

    assert await store.get(key) == b"other"


async def test_a_deleted_file_is_missing_and_may_be_deleted_again(store):
    """Object storage port: deletion has one effect."""
    key = a_key()
    await store.put(key, CONTENT)

    await store.delete(key)
    await store.delete(key)

    assert not await store.has(key)
    with pytest.raises(FileMissing) as error:
        await store.get(key)
    assert key not in str(error.value)


async def test_a_file_that_never_was_is_missing(store):
    """Object storage port: absence is an error of its own."""
    assert not await store.has("chat")

    with pytest.raises(FileMissing):
        await store.get(a_key())


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "../up", "a/../../b", "a//b", ".hidden", "a/.b", "a\\b", "a\0b", "a b", "x" * 101]
)
async def test_no_key_leads_out_of_the_store(store, key):
    """Security rules, path traversal: keys are of one form."""
    for call in (store.get(key), store.has(key), store.delete(key), store.put(key, b"")):
        with pytest.raises(SetupError, match="a key that no store takes"):
            await call


async def test_many_files_are_kept_at_once(store):
    """Object storage port: callers do not wait for one another."""
    keys = [a_key() for _ in range(20)]

    await asyncio.gather(*(store.put(key, key.encode()) for key in keys))

    assert await asyncio.gather(*(store.get(key) for key in keys)) == [key.encode() for key in keys]
