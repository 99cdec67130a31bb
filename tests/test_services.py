"""The servers that tests run against: real, of their own, and gone when nobody needs them."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import nats
import pytest
from redis.asyncio import Redis

from tests.server_process import Missing
from tests.service_fixtures import required
from tests.services import PostgresServer

ROOT = Path(__file__).parents[1]


def _ends(pid):
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    return bool(ended)


async def test_every_test_has_a_database_of_its_own(postgres_server, postgres_url):
    """Ours: the newest schema, no rows, and a role that is no superuser."""
    connection = await asyncpg.connect(postgres_url)

    assert await connection.fetchval("SELECT count(*) FROM inbox") == 0
    assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    await connection.close()


@pytest.mark.parametrize(
    ("left", "is_kept"),
    [
        ("UPDATE audit_head SET seq = 7", True),
        ("CREATE TABLE left_behind (n int)", False),
        ("DROP TRIGGER audit_head_grows ON audit_head", False),
        ("ANALYZE", False),
    ],
)
def test_what_a_test_leaves_in_its_database_is_not_there_for_the_next(postgres_server, lent_databases, left, is_kept):
    """Ours: rows are as they were at first, and a database whose schema was changed is lent to nobody again."""
    name = lent_databases.lend()
    first = postgres_server.sql("SELECT * FROM audit_head", database=name)
    postgres_server.sql(f"SET session_replication_role = replica; {left}", database=name)

    lent_databases.take_back(name)
    again = lent_databases.lend()

    assert (again == name) is is_kept
    assert postgres_server.sql("SELECT * FROM audit_head", database=again) == first
    lent_databases.take_back(again)


async def test_committed_rows_survive_a_postgres_that_is_stopped_at_once():
    """Fault plans stop it without a checkpoint, and start it again at the same address."""
    with PostgresServer.started() as server:
        server.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)", database="uhi")
        port = server.port

        server.stop(immediate=True)
        server.start()

        assert server.sql("SELECT n FROM kept", database="uhi") == "7\n"
        assert server.sql("SHOW fsync") == "on\n"
        assert server.port == port


async def test_a_redis_starts_empty_and_at_the_same_address(redis_server, redis_url):
    """Ours: what one test leaves behind is not there for the next."""
    client = Redis.from_url(redis_url)
    await client.set("left", "behind")

    redis_server.flush()

    assert await client.keys() == []
    await client.aclose()


async def test_a_nats_keeps_streams(nats_url):
    """Events are kept by JetStream."""
    client = await nats.connect(nats_url)
    await client.jetstream().add_stream(name="events", subjects=["events.*"])

    assert (await client.jetstream().publish("events.a", b"1")).seq == 1
    await client.close()


def test_servers_end_with_the_process_that_started_them_even_if_it_is_killed():
    """Ours: nobody has to look for what an interrupted run left behind."""
    program = (
        "import time; from tests.services import PostgresServer, RedisServer\n"
        "servers = [PostgresServer(), RedisServer()]\n"
        "for each in servers: each.start()\n"
        "print(*[each.pid for each in servers], *[each.folder for each in servers], flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        *pids, cluster, store = owner.stdout.readline().split()

    owner.send_signal(signal.SIGKILL)
    owner.wait()

    assert [_ends(int(pid)) for pid in pids] == [True, True]
    for folder in (cluster, store):
        shutil.rmtree(folder)


@pytest.mark.parametrize(("asked", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_a_missing_program_is_a_reason_to_skip_or_to_fail(monkeypatch, asked, outcome):
    """`dependencies.md`: skipped with its reason, and a failure where services are required."""
    monkeypatch.setenv("UHI_REQUIRE_SERVICES", asked)

    with pytest.raises(outcome, match="install the package redis-server"), required():
        raise Missing("the program redis-server is not here; install the package redis-server")
