"""A database's address as the operator writes it, and as SQLAlchemy wants it."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from uhi.errors import SetupError

_DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite"}
_FORMS = "postgresql://user@host:5432/uhi or sqlite:///path/to/uhi.db"


def address_of(url: str) -> URL:
    """The address with the driver that belongs to it.

    Raises: SetupError when it names no PostgreSQL database and no SQLite file; its text never shows a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _wrong("text that is no address") from None
    kind = parsed.get_backend_name()
    if kind not in _DRIVERS:
        raise _wrong(f"{kind}://…")
    if not parsed.database or parsed.database == ":memory:":
        raise _wrong("an address without a database")
    return parsed.set(drivername=_DRIVERS[kind])


def shown(address: URL) -> str:
    """An address for people: without the driver, the password, and options, which may hold another one."""
    return address.set(drivername=address.get_backend_name(), query={}).render_as_string(hide_password=True)


def _wrong(got: str) -> SetupError:
    return SetupError(
        "the database's address cannot be used", got=got, expected=_FORMS, next_step="set UHI_DATABASE_URL"
    )
