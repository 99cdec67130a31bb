"""Whose database it is, and whether the keys fit: found out before the first message."""

from __future__ import annotations

import pytest

from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.keeping import keeping_in_database
from uhi.storage.sealing import Sealing

OLD, NEW = b"1" * 32, b"2" * 32


async def begin(url: str, subscriber_id: str, *keys: bytes) -> None:
    """One life of a program, as far as its start goes."""
    kept = keeping_in_database(
        url, Sealing(keys), clock=SystemClock(), owner=f"{subscriber_id}/0", subscriber_id=subscriber_id
    )
    try:
        for each in kept.opening:
            await each()
    finally:
        for each in kept.closing:
            await each()


async def test_database_is_one_subscribers(database_url):
    """Ours: another's letters must not go out in its name."""
    await begin(database_url, "clinic.example", OLD)
    await begin(database_url, "clinic.example", OLD)

    with pytest.raises(SetupError, match="belongs to another subscriber"):
        await begin(database_url, "gateway.example", OLD)


async def test_wrong_key_is_noticed_at_the_start(database_url):
    """Ours: found out at the first message it would be a no to patients."""
    await begin(database_url, "clinic.example", OLD)

    with pytest.raises(SetupError, match="key"):
        await begin(database_url, "clinic.example", NEW)


async def test_rotated_keys_open_what_the_old_one_closed(database_url):
    """How-to: the new key goes above the old one, which goes once nothing needs it."""
    await begin(database_url, "clinic.example", OLD)

    await begin(database_url, "clinic.example", NEW, OLD)

    await begin(database_url, "clinic.example", NEW)
