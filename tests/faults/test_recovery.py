"""A program that finds much to do when it comes back, and keys that change while it does: nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.bench.peers import ANSWER, length_of
from tests.faults.crash_at import KILLED
from tests.faults.processes import HOST, ROOT, until
from tests.faults.town import HOSPITAL, STUBS, Rows, Town
from tests.faults.townsfolk import patients
from uhi.clock import SystemClock
from uhi.exchange.row_ids import new_row_id
from uhi.ports import Change, Letter
from uhi.signing import body_digest
from uhi.storage.migrating import upgrade
from uhi.storage.sealing import read_body_key_file
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("folder", "haste")]

LETTERS = 10_000
AT_A_TIME = 500


@dataclass
class Mailbox:
    """A peer that ACKs everything and counts it by message id."""

    got: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def open(self, ports: list[int]) -> AsyncIterator[None]:
        servers = [await asyncio.start_server(self._serve, HOST, port, limit=2**20) for port in ports]
        try:
            yield
        finally:
            for server in servers:
                server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(length_of(head) - len(head))
                self.got[json.loads(body)["context"]["message_id"]] += 1
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def letter(town: Town, number: int, now: float) -> Letter:
    """A letter of the gateway's to one of the stubs."""
    body = json.dumps({"context": {"message_id": f"m-{number}", "transaction_id": f"t-{number}"}}).encode()
    return Letter(
        id=new_row_id(now),
        to=town.entry(STUBS[number % len(STUBS)]),
        path="search",
        digest=body_digest(body),
        transaction_id=f"t-{number}",
        message_id=f"m-{number}",
        deadline=now + 600,
        body=body,
    )


async def fill(town: Town, url: str) -> None:
    """Put letters into a gateway's outbox as its own earlier life would have: half of them leased by it."""
    now = SystemClock().now()
    database = Database.open(url, clock=SystemClock())
    sealing = read_body_key_file(town.body_key)
    mine, nobodys = SqlStorage(database, sealing, owner="here/0"), SqlStorage(database, sealing, owner="gone/0")
    for start in range(0, LETTERS, AT_A_TIME):
        await nobodys.commit(Change(letters=tuple(letter(town, start + each, now) for each in range(AT_A_TIME))))
    await nobodys.release()
    await mine.lease(now=now, most=LETTERS // 2)
    await database.aclose()


async def test_ten_thousand_letters_of_an_earlier_life_are_delivered_and_accounted_for(town, database_url):
    """The issue: kill -9 with 10,000 pending rows; the next life sends them all, and only what was on its way twice."""
    await upgrade(database_url)
    await fill(town, database_url)
    gateway, mailbox = town.gateway_program(database_url), Mailbox()
    async with mailbox.open([town.ports[name] for name in STUBS]), Rows.of(database_url) as rows, gateway.ending():
        await gateway.start()
        await until(lambda: len(mailbox.got) > LETTERS // 4, "a quarter is delivered")
        await gateway.kill()
        left = LETTERS - len(mailbox.got)
        began = SystemClock().now()
        await gateway.start()
        await until(lambda: len(mailbox.got) == LETTERS, "all are delivered", within=60)
        print(f"{left} letters in {SystemClock().now() - began:.1f} s from the start of the process")
        await rows.settled()

        assert await rows.all("SELECT state, count(*) FROM outbox GROUP BY 1") == [("DELIVERED", LETTERS)]
        # What was answered and not yet written down when it died comes again: as much as may wait for that at once.
        assert sum(mailbox.got.values()) - LETTERS <= 1_000
        assert max(mailbox.got.values()) <= 2


def dying(arguments: list[str], seam: str) -> int:
    """Run `uhi` so that it dies in the middle of a system call; returns its exit code."""
    program = f"import os, sys; {seam} = lambda *_: os._exit({KILLED}); from cli.main import main; main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, check=False).returncode


def uhi(*arguments: str) -> None:
    """Run `uhi` to its end."""
    subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("seam", ["os.fsync", "os.fchmod"])
async def test_body_key_that_is_changed_in_a_crash_leaves_one_that_reads_everything(town, sqlite_url, tmp_path, seam):
    """Reliability rules, K10: the new key goes first and the old one stays below it; the file in use is never touched
    before the new one is whole."""
    in_use, new = tmp_path / "body.key", tmp_path / "body.key.new"
    in_use.write_bytes(town.body_key.read_bytes())
    in_use.chmod(0o600)
    hospital = town.hospital_program(sqlite_url, UHI_BODY_KEY_FILE=str(in_use))
    async with patients(town) as booking, Rows.of(sqlite_url) as rows, hospital.ending():
        await hospital.start(crash_at="K4-order:CONFIRMED:1")
        visit = asyncio.ensure_future(booking.visit())
        await hospital.crashed()

        assert dying(["db", "key", str(new), "--older", str(in_use)], seam) == KILLED
        await hospital.start(crash_at="K8:on_confirm:1")
        await hospital.crashed()
        new.unlink()
        uhi("db", "key", str(new), "--older", str(in_use))
        new.replace(in_use)
        await hospital.start()
        await visit
        await booking.visit()

        await booking.check(rows, hospital)


@pytest.mark.parametrize("seam", ["os.fsync", "os.fchmod"])
async def test_signing_key_that_is_made_in_a_crash_leaves_the_one_in_use(town, sqlite_url, tmp_path, seam):
    """Reliability rules, K10: a new key is a new file and its place is taken by one rename; one is always valid."""
    in_use, new = tmp_path / "key.pem", tmp_path / "key.pem.new"
    in_use.write_bytes(town.key_file(HOSPITAL).read_bytes())
    in_use.chmod(0o600)
    hospital = town.hospital_program(sqlite_url, UHI_KEY_FILE=str(in_use))
    async with patients(town) as booking, Rows.of(sqlite_url) as rows, hospital.ending():
        await hospital.start(crash_at="K6:on_confirm:1")
        visit = asyncio.ensure_future(booking.visit())
        await hospital.crashed()

        assert dying(["keys", "new", "--out", str(new)], seam) == KILLED
        await hospital.start(crash_at="K6:on_confirm:2")
        await visit
        visit = asyncio.ensure_future(booking.visit())
        await hospital.crashed()
        shutil.copy(town.key_file(HOSPITAL, "k2"), whole := tmp_path / "whole.pem")
        whole.replace(in_use)
        hospital.settings = {**hospital.settings, "UHI_KEY_ID": "k2"}
        await hospital.start()
        await visit
        await booking.check(rows, hospital)
