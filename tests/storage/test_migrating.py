"""Migrations: both ways on both databases, interrupted, twice at once, and under a program that is older."""

from __future__ import annotations

import asyncio
import json
import pkgutil
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, insert, select, text

import gateway
import participants
import uhi
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.storage.addresses import address_of
from uhi.storage.migrating import check_current, current, downgrade, schema_state, upgrade
from uhi.storage.migrations import VERSION_TABLE
from uhi.storage.schema import SchemaState, branch_of, steps
from uhi.storage.sql import tables
from uhi.storage.sql.database import Database

ROOT = Path(__file__).parents[2]
ALL = steps().state(()).pending
NEWEST = tuple(sorted({branch_of(step): step for step in ALL}.values()))
OTHERS = tuple(step for step in NEWEST if branch_of(step) != "uhi")
LAST = next(step for step in NEWEST if branch_of(step) == "uhi")
NEWER = (*OTHERS, "uhi_9001")
STEP = """
import time
from pathlib import Path
from alembic import op
from sqlalchemy import Column, Text
revision, down_revision, branch_labels, depends_on = {name!r}, {after!r}, None, None
def upgrade():
    op.create_table("further", Column("id", Text, primary_key=True))
    if {pauses} and not Path(__file__).with_name("seen").exists():
        Path(__file__).with_name("seen").touch()
        print("in the middle", flush=True)
        time.sleep(600)
    op.add_column("inbox", Column("note", Text, nullable=True))
def downgrade():
    op.drop_column("inbox", "note")
    op.drop_table("further")
"""
PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from uhi.storage.migrating import upgrade
print(json.dumps(asyncio.run(upgrade(sys.argv[1], further=[Path(each) for each in sys.argv[2:]]))))
"""
_CATALOGUE = {
    "sqlite": ("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL",),
    "postgresql": (
        """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
           WHERE table_schema = 'public'""",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace""",
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    ),
}
BREAKER = {"destination": "clinic.example", "until": 1.0, "trips": 1}


@pytest.fixture
def expand(tmp_path):
    """A folder with a further step, as a newer release would bring it: a new table and a new column."""

    def make(*, pauses=False):
        folder = tmp_path / "newer release" / "versions"
        folder.mkdir(parents=True)
        (folder / "uhi_9001.py").write_text(STEP.format(name="uhi_9001", after=LAST, pauses=pauses))
        return folder

    return make


async def on(url, work):
    """Does something on a database and commits it."""
    database = Database.open(url, clock=SystemClock())
    done = await database.write(work)
    await database.aclose()
    return done


def running(url, *folders):
    """An upgrade in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, url, *map(str, folders)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_in_the_middle(url, folder):
    """Start an upgrade, wait until it is within the further step, and kill it."""
    with running(url, folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.kill()


def write_and_read(connection):
    """What any program does, through the tables this one knows."""
    connection.execute(insert(tables.breaker).values(BREAKER))
    return [dict(row) for row in connection.execute(select(tables.breaker)).mappings()]


def everything():
    """The tables of all packages: each keeps them in modules named for it."""
    names = [
        module.name
        for package in (uhi, gateway, participants)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if module.name.endswith("tables")
    ]
    named = [each for name in names for each in vars(import_module(name)).values()]
    found = {id(each): each for each in named if isinstance(each, MetaData)}
    return list(found.values())


def catalogue(connection):
    """Everything that a schema consists of, as the database itself describes it."""
    queries = _CATALOGUE[connection.dialect.name]
    found = [tuple(map(_in_any_order, row)) for query in queries for row in connection.execute(text(query))]
    return sorted(str(each) for each in found if VERSION_TABLE not in str(each))


def _in_any_order(part):
    """The columns and constraints of a table sorted: a step may put them down in another order."""
    if not isinstance(part, str) or not part.startswith("CREATE TABLE"):
        return part if part is None else " ".join(str(part).split())
    head, _, rest = part.partition("(")
    body, _, tail = rest.rpartition(")")
    return head, sorted(" ".join(each.split()) for each in re.split(r",\s(?![^(]*\))", body)), tail


async def test_upgrade_and_downgrade_lead_both_ways(empty_database_url):
    """Issue: checked both ways on both databases."""
    up = await upgrade(empty_database_url)
    first = await on(empty_database_url, catalogue)
    down = await downgrade(empty_database_url, "base")
    nothing = await on(empty_database_url, catalogue)
    again = await upgrade(empty_database_url)

    assert (up, down, again) == (ALL, ALL, ALL)
    assert nothing == []
    assert await on(empty_database_url, catalogue) == first
    assert await current(empty_database_url) == SchemaState(NEWEST)


async def test_the_steps_make_exactly_the_tables_that_the_program_uses(empty_database_url):
    """Ours: a table changes together with a step; what the database itself says counts, conditions and triggers too."""
    await upgrade(empty_database_url)
    by_steps = await on(empty_database_url, catalogue)
    await downgrade(empty_database_url, "base")

    for metadata in everything():
        await on(empty_database_url, metadata.create_all)

    assert by_steps == await on(empty_database_url, catalogue)


async def test_alembic_finds_no_difference(database_url):
    """Ours: what it would write as the next step is nothing."""

    def difference(connection):
        options = {"version_table": VERSION_TABLE}
        return compare_metadata(MigrationContext.configure(connection, opts=options), everything())

    assert await on(database_url, difference) == []


async def test_a_killed_upgrade_is_completed_by_running_it_again(empty_database_url, expand):
    """Crash point K9: killed within a step, from nothing."""
    folder = expand(pauses=True)
    kill_in_the_middle(empty_database_url, folder)

    await upgrade(empty_database_url, further=[folder])

    assert (await current(empty_database_url, further=[folder])).applied == NEWER
    assert await on(empty_database_url, lambda it: it.execute(text("SELECT count(note) FROM inbox")).scalar()) == 0


async def test_the_old_version_works_after_an_upgrade_was_killed(database_url, expand):
    """Crash point K9: a step is applied whole or not at all."""
    before = await on(database_url, catalogue)
    kill_in_the_middle(database_url, expand(pauses=True))

    await check_current(database_url)

    assert await on(database_url, catalogue) == before
    assert await on(database_url, write_and_read) == [BREAKER]


async def test_old_code_runs_on_the_new_schema(database_url, expand):
    """Issue: old code on the new schema; every release runs on the schema beside its own."""
    await upgrade(database_url, further=[expand()])

    await check_current(database_url)

    assert await current(database_url) == SchemaState(NEWER, (), ahead=("uhi_9001",))
    assert await upgrade(database_url) == ()
    assert await on(database_url, write_and_read) == [BREAKER]


async def test_what_a_newer_release_made_is_not_undone_by_an_older_one(database_url, expand):
    """Ours: it does not know what to undo."""
    await upgrade(database_url, further=[expand()])

    with pytest.raises(SetupError, match="ahead of this program"):
        await downgrade(database_url, "base")


async def test_two_upgrades_at_once_apply_every_step_once(empty_database_url, expand):
    """Issue: several processes start together."""
    folder = expand()
    both = [running(empty_database_url, folder) for _ in range(2)]

    outputs = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sorted(json.loads(output) for output in outputs) == [[], [*ALL, "uhi_9001"]]


async def test_two_upgrades_in_one_process_do_not_meet(tmp_path):
    """Ours: several participants start in one process, each with a file of its own."""
    urls = [f"sqlite:///{tmp_path / name}.db" for name in "ab"]

    assert await asyncio.gather(*map(upgrade, urls)) == [ALL, ALL]


async def test_an_upgrade_does_not_wait_long_for_a_table_in_use(postgres_url, expand):
    """Reliability rules: `lock_timeout=2s`, since everybody else waits behind a waiting upgrade."""
    folder = expand()
    other = await asyncpg.connect(postgres_url)
    await other.execute("BEGIN")
    await other.execute("LOCK TABLE inbox IN ACCESS SHARE MODE")

    with pytest.raises(SetupError, match="lock timeout"):
        await upgrade(postgres_url, further=[folder])
    await other.close()

    assert await upgrade(postgres_url, further=[folder]) == ("uhi_9001",)


async def test_a_database_that_lacks_steps_is_refused_with_the_command_that_helps(empty_database_url):
    """Issue: `uhi db upgrade`."""
    with pytest.raises(SetupError, match="run uhi db upgrade"):
        await check_current(empty_database_url)

    assert (await current(empty_database_url)).pending == ALL


async def test_an_open_database_says_how_far_it_is(database_url):
    """`/readyz` asks for it."""
    await downgrade(database_url, "uhi_0001")
    opened = Database.open(database_url, clock=SystemClock())

    before = await schema_state(opened)
    await upgrade(database_url)

    later = tuple(step for step in ALL if branch_of(step) == "uhi" and step != "uhi_0001")
    assert before == SchemaState((*OTHERS, "uhi_0001"), later)
    assert (await schema_state(opened)).is_current
    await opened.aclose()


def test_looking_does_not_make_a_file_and_upgrading_makes_it_for_its_owner_only(empty_sqlite_url):
    """Ours: call log and bookings are nobody else's to read."""
    path = Path(empty_sqlite_url.removeprefix("sqlite:///"))

    asyncio.run(current(empty_sqlite_url))
    looked = path.exists()
    asyncio.run(upgrade(empty_sqlite_url))

    assert not looked
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_an_unknown_revision_is_refused(sqlite_url):
    """Ours: what, and where to look."""
    with pytest.raises(SetupError, match="uhi db current"):
        await downgrade(sqlite_url, "uhi_7777")


@pytest.mark.parametrize("url", ["postgresql://uhi:secret@127.0.0.1:1/uhi", "sqlite:////nowhere/secret.d/uhi.db"])
async def test_a_database_that_cannot_be_reached_is_the_operators_to_mend(url):
    """Ours: says which, and never the password."""
    with pytest.raises(SetupError, match=r"cannot be (used|made)") as refused:
        await upgrade(url)

    assert "uhi:secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["mysql://host/uhi", "sqlite://", "sqlite:///:memory:", "postgresql://host", "uhi.db", ""]
)
def test_an_address_that_is_none_is_refused(url):
    """`UHI_DATABASE_URL` is PostgreSQL's or that of an SQLite file."""
    with pytest.raises(SetupError, match="UHI_DATABASE_URL"):
        address_of(url)


def test_branches_of_other_packages_are_found(tmp_path, monkeypatch):
    """Decision 40: by the entry-point group `uhi.migrations`."""
    versions = tmp_path / "clinic_tables" / "versions"
    versions.mkdir(parents=True)
    (versions / "first.py").write_text(STEP.format(name="clinic_0001", after=None, pauses=False))
    about = tmp_path / "clinic-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[uhi.migrations]\nclinic = clinic_tables\n")
    monkeypatch.syspath_prepend(tmp_path)

    known = steps.__wrapped__()

    assert sorted(known.state(()).pending) == ["clinic_0001", *ALL]
    newer = known.state(["uhi_9001", *OTHERS])
    assert newer == SchemaState(NEWER, ("clinic_0001",), ahead=("uhi_9001",))


def test_a_branch_that_is_not_there_is_named(tmp_path, monkeypatch):
    """Ours: a half-removed package."""
    about = tmp_path / "gone-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[uhi.migrations]\ngone = gone_tables\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SetupError, match="the migrations of gone are not found"):
        steps.__wrapped__()


async def test_looking_does_not_wait_for_a_writer(sqlite_url):
    """Ours: `/readyz` and `uhi db current` are asked while a program works."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")

        assert (await current(sqlite_url)).is_current
