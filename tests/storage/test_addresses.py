"""Addresses of databases, as they may be shown."""

from __future__ import annotations

import pytest

from uhi.errors import SetupError
from uhi.storage.addresses import address_of, shown
from uhi.storage.migrating import current

SECRETIVE = "postgresql://uhi:word-1@127.0.0.1:1/uhi?password=word-2&sslkey=word-3"


def test_address_is_shown_without_anything_secret():
    """Rules on errors and logs: a password may stand in front, or among the options."""
    assert shown(address_of(SECRETIVE)) == "postgresql://uhi:***@127.0.0.1:1/uhi"
    assert shown(address_of("sqlite:////var/lib/uhi.db?timeout=5")) == "sqlite:////var/lib/uhi.db"


async def test_database_that_is_not_there_is_named_without_its_secrets():
    """Rules on errors and logs: what an operator reads may be sent on."""
    with pytest.raises(SetupError) as error:
        await current(SECRETIVE.partition("&")[0])

    assert "word-" not in str(error.value)
    assert "127.0.0.1" in str(error.value)
