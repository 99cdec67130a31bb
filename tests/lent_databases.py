"""PostgreSQL databases that tests borrow: emptied between two tests, which costs a hundredth of making one.

One that comes back with another schema, or with more than `_MOST` bytes, is dropped instead.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field

from tests.services import PostgresServer

_MOST = 4 * 1024 * 1024

# Whatever a statement about the schema writes, it writes or deletes a row of these; ANALYZE writes the last one.
_CATALOGS = ("pg_class", "pg_attribute", "pg_constraint", "pg_proc", "pg_trigger", "pg_db_role_setting", "pg_statistic")
_SCHEMA = " || ".join(
    f"(SELECT format('%s %s ', count(*), max(xmin::text::bigint)) FROM {catalog})" for catalog in _CATALOGS
)
_PREPARE = f"""
CREATE TEMP TABLE tables AS SELECT oid::regclass AS name, false AS has_rows FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;
DO $$ DECLARE each record; is_filled boolean; BEGIN
  FOR each IN SELECT * FROM tables LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', each.name) INTO is_filled;
    IF is_filled THEN
      EXECUTE format('CREATE TEMP TABLE %I AS SELECT * FROM %s', 'first_' || each.name::oid, each.name);
      UPDATE tables SET has_rows = true WHERE name = each.name;
    END IF;
  END LOOP;
END $$;
CREATE TEMP TABLE before (schema text);
CREATE FUNCTION pg_temp.emptied() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE each record; BEGIN
  PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  IF (SELECT schema FROM before) <> {_SCHEMA} OR (SELECT sum(pg_relation_size(name)) FROM tables) > {_MOST} THEN
    RETURN false;
  END IF;
  FOR each IN SELECT * FROM tables WHERE pg_relation_size(name) > 0 LOOP
    EXECUTE format('DELETE FROM %s', each.name);
    IF each.has_rows THEN
      EXECUTE format('INSERT INTO %s SELECT * FROM %I', each.name, 'first_' || each.name::oid);
    END IF;
  END LOOP;
  PERFORM setval(format('%I.%I', schemaname, sequencename), start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
  RETURN true;
END $$;
INSERT INTO before SELECT {_SCHEMA};
"""


@dataclass(eq=False)
class LentDatabases:
    """The databases of one server that are copies of one template."""

    server: PostgresServer
    template: str
    _free: list[str] = field(default_factory=list)
    _cleaners: dict[str, _Cleaner] = field(default_factory=dict)

    def lend(self) -> str:
        """The name of a database with the template's schema and rows, and nobody connected."""
        if self._free:
            return self._free.pop()
        name = self.server.create(template=self.template)
        self._cleaners[name] = _Cleaner.of(self.server, name)
        return name

    def take_back(self, name: str) -> None:
        """Let the next test have it, whoever is still connected to it and whatever rows it has."""
        if self._cleaners[name].empty():
            self._free.append(name)
            return
        self._cleaners.pop(name).end()
        self.server.drop(name)

    def end(self) -> None:
        """Let go of the server."""
        for cleaner in self._cleaners.values():
            cleaner.end()


@dataclass(eq=False)
class _Cleaner:
    """A superuser's psql that stays connected to one database."""

    process: subprocess.Popen[str]

    @classmethod
    def of(cls, server: PostgresServer, name: str) -> _Cleaner:
        # Triggers that keep rows from being deleted, and foreign keys, do not hold for a replica.
        surroundings = os.environ | {"PGOPTIONS": "-c session_replication_role=replica -c client_min_messages=error"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(server.psql(name), env=surroundings, stdin=pipe, stdout=pipe, text=True)
        cleaner = cls(process)
        assert cleaner._answer(_PREPARE + "SELECT 'ready';") == "ready\n"
        return cleaner

    def empty(self) -> bool:
        """Empty the database. False where its schema is another one, or where this connection was cut off."""
        return self._answer("SELECT pg_temp.emptied();") == "t\n"

    def end(self) -> None:
        self.process.communicate()

    def _answer(self, statement: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{statement}\n")
            self.process.stdin.flush()
        return self.process.stdout.readline()
