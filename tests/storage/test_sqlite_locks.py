"""A SQLite file that two processes have open: who comes and goes must not take the log away under who stays."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text

from uhi.clock import SystemClock
from uhi.storage.sql.database import Database

_VISIT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO t VALUES (2)")
connection.commit()
connection.close()
"""


async def test_process_that_comes_and_goes_leaves_the_log_to_who_stays(tmp_path):
    """SQLite: the last to close deletes the write-ahead log, and knows by POSIX locks whether it is the last; a process
    that opens and closes the file by itself gives up its locks on it."""
    file = tmp_path / "kept.db"
    database = Database.open(f"sqlite:///{file}", clock=SystemClock())
    await database.start()
    await database.write(lambda connection: connection.execute(text("CREATE TABLE t (a INTEGER)")))
    await asyncio.gather(*(database.ping() for _ in range(5)))
    await database.write(lambda connection: connection.execute(text("INSERT INTO t VALUES (1)")))

    visitor = await asyncio.create_subprocess_exec(sys.executable, "-c", _VISIT, str(file))

    assert await visitor.wait() == 0
    assert file.with_name("kept.db-wal").exists()
    assert await database.read(lambda found: found.execute(text("SELECT count(*) FROM t")).scalar_one()) == 2
    await database.aclose()
