"""The database that a command looks into: its address from `--url` or UHI_DATABASE_URL, open for one piece of work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.loop import run
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.storage.addresses import address_of, shown
from uhi.storage.migrating import check_current
from uhi.storage.sql.database import Database

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")


def database_option(command: F) -> F:
    """Give a command the option `--url`, as its parameter `url`."""
    return click.option(
        "--url",
        envvar="UHI_DATABASE_URL",
        default="",
        metavar="URL",
        help="The database, such as sqlite:///uhi.db; UHI_DATABASE_URL, if not given.",
    )(command)


def with_database(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """Run a piece of work with the open database.

    Raises: SetupError when no address is given, the database is not there, or its schema is not this program's.
    """
    return run(_open_for(named(url), work))


def named(url: str) -> str:
    """The address that was given.

    Raises: SetupError when none was.
    """
    if not url:
        raise SetupError(
            "which database is not said",
            expected="--url or UHI_DATABASE_URL",
            next_step="take that of the program; one that was given none keeps sqlite:///SUBSCRIBER-ID.db",
        )
    return url


def check_there(url: str) -> None:
    """See that an SQLite file is there, instead of looking into a new one.

    Raises: SetupError.
    """
    address = address_of(url)
    if address.get_backend_name() == "sqlite" and not Path(str(address.database)).is_file():
        raise SetupError(
            "there is no such database file",
            got=f"{shown(address)}, looked for in {Path.cwd()}",
            next_step="check --url or UHI_DATABASE_URL; the program makes the file at its first start",
        )


async def _open_for(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    check_there(url)
    await check_current(url)
    database = Database.open(url, clock=SystemClock())
    try:
        return await work(database)
    finally:
        await database.aclose()
