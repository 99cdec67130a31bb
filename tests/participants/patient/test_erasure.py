"""What a copy from before an erasure still tells: with every key that is left, nothing of who was erased."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, inspect

from participants.patient.bookings.rows import Rating, Wish
from participants.patient.people.key_folder import KeyFolder
from tests.participants.patient.scene import Scene
from tests.participants.patient.test_people import rows_left
from uhi.conversation import Document, Kind
from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED
from uhi.keeping import sealing_of
from uhi.storage.sealing import Sealing

ABOUT = {
    "patient_member": "member {id}",
    "patient_booking": "offer {id}",
    "patient_rating": "rating {booking_id}",
    "consumer_booking": "booking {provider_id} {order_id}",
    "chat_message": "chat {id}",
}
"""What is kept of people as long as they have an account, and as what each row was sealed."""
CANARIES = {
    "patient_member": b"Ravi Kumar",
    "patient_booking": b"ravi.kumar@sbx",
    "patient_rating": b"canary rating",
    "consumer_booking": b"Verma",
    "chat_message": b"canary words",
    "files": b"All is well.",
}
"""Where each of them is."""
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
REPORT = Document(content=b"All is well.", media_type="text/plain", name="x.txt")


@dataclass(frozen=True)
class Copy:
    """A backup: all rows of all tables, and the folder of documents."""

    rows: dict[str, list[dict[str, object]]]
    files: Path

    def sealed(self) -> Iterator[tuple[str, bytes, str]]:
        """What is sealed in it: where, the sealed text, and as what."""
        for table, about in ABOUT.items():
            for row in self.rows[table]:
                yield table, bytes(row["sealed"]), about.format(**row)
        for file in (self.files / "chat").iterdir():
            yield "files", file.read_bytes(), f"file chat/{file.name}"

    def told(self, keys: list[Sealing]) -> dict[str, list[bytes]]:
        """Whatever one of the keys opens."""
        told: dict[str, list[bytes]] = {}
        for where, sealed, about in self.sealed():
            for key in keys:
                with suppress(SetupError):
                    told.setdefault(where, []).append(key.open(sealed, about=about))
        return told


async def copied(scene) -> Copy:
    """A backup of database and documents, without the keys, which are backed up apart."""

    def read(connection: Connection) -> dict[str, list[dict[str, object]]]:
        names = inspect(connection).get_table_names()
        return {
            name: [dict(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings()]
            for name in names
        }

    place = Path(shutil.copytree(scene.folder / "files", scene.folder / "copy"))
    return Copy(await scene.program.desk.database.read(read), place)


def keys_left(scene) -> list[Sealing]:
    """Every key that can be found: the program's, and those of accounts that it opens."""
    program, folder = sealing_of(scene.settings), KeyFolder(scene.settings.account_keys_folder)
    kept = {name: folder.read(f"acc-{name}") for name in scene.people}
    return [
        program,
        *(Sealing([program.open(key, about=f"data key acc-{name}")]) for name, key in kept.items() if key),
    ]


async def everything(scene) -> None:
    """Ravi has booked, rated, read and got a document; what he booked is over. Meena has herself."""
    ravi, meena = await scene.person("ravi"), await scene.person("meena")
    await meena.member(name="Meena", abha_address="meena@sbx")
    booked = await ravi.confirmed(await ravi.ready())
    await scene.heard(booked["id"], "canary words")
    await scene.received(booked["id"])
    ours = await scene.program.desk.get(booked["id"])
    rated = Rating(5, "canary rating", scene.net.clock.now())
    await scene.program.desk.database.write(lambda on: scene.program.desk.rows.rate(on, ours, rated))
    await ravi.ask("POST", f"/v1/bookings/{booked['id']}/cancel", json={"reason": "PATIENT_BOOKED_IN_ERROR"})


@pytest.mark.case("IAM-17")
async def test_a_copy_from_before_an_erasure_tells_nothing_with_every_key_that_is_left(scene):
    """Case IAM-17: canaries in rows and documents cannot be decrypted afterwards, backups included."""
    await everything(scene)
    copy = await copied(scene)
    before = copy.told(keys_left(scene))

    erased = await scene.people["ravi"].ask("DELETE", "/v1/own-data")
    after = copy.told(keys_left(scene))

    assert erased.status == 200
    for where, canary in CANARIES.items():
        assert any(canary in text for text in before[where]), where
    [hers] = [text for told in after.values() for text in told]
    assert b'"Meena"' in hers


@pytest.mark.case("IAM-17")
async def test_nothing_is_written_for_who_was_erased_meanwhile(scene):
    """Ours: what a hospital says at the moment of an erasure is refused where it would be kept."""
    await everything(scene)
    ravi, talks = scene.people["ravi"], scene.program.conversations
    [(_, shown)] = await scene.program.desk.page(Wish(account_id=ravi.account.id))
    said = await scene.from_hospital(shown.ours.id, Kind.TEXT, text="too late")
    await ravi.ask("DELETE", "/v1/own-data")

    with pytest.raises(Refusal, match="erased"):
        await talks._book.add(said)
    with pytest.raises(Refusal, match="erased"):
        await talks._vault.put(REPORT, said.account_id)
    with pytest.raises(Refusal, match="erased"):
        await scene.program.desk.bookings._hearing.open(shown.booking, account_id=ravi.account.id)
    with pytest.raises(Refusal, match="nothing is kept"):
        await scene.program.desk.bookings._hearing.open(shown.booking)
    # Meena has a member, and what she asked for.
    assert await rows_left(scene) == [1, 0, 0, 0, 0, 1]


@pytest.mark.services
@pytest.mark.case("IAM-17")
async def test_what_comes_while_another_process_erases_waits_and_is_refused(postgres_url, tmp_path):
    """Ours: whoever seals has the key's row until that is kept, whoever erases too; and neither waits for the other."""
    async with Scene(postgres_url, tmp_path) as scene:
        await everything(scene)
        [(_, shown)] = await scene.program.desk.page(Wish(account_id="acc-ravi"))
        other, looks = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
        async with other.transaction():
            await other.execute("UPDATE patient_key SET erased_at = 1 WHERE account_id = 'acc-ravi'")
            late = asyncio.create_task(scene.program.desk.bookings._hearing.keep(shown.booking, about="on_status"))
            while not await looks.fetchval(WAITING):
                pass
            await other.execute("DELETE FROM consumer_booking WHERE account_id = 'acc-ravi'")
        await asyncio.gather(other.close(), looks.close())

        with pytest.raises(Refusal, match="erased"):
            await late
        assert (await rows_left(scene))[2] == 0


async def test_what_is_said_waits_while_the_keys_are_away(quick_scene):
    """Ours: a folder that is not there is no erasure; nothing is dropped, and who asks comes again."""
    ravi = await quick_scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    said = await quick_scene.from_hospital(booked["id"], Kind.TEXT, text="hello")
    folder = quick_scene.settings.account_keys_folder
    folder.rename(folder.with_name("elsewhere"))

    shown = await ravi.ask("GET", f"/v1/bookings/{booked['id']}")
    with pytest.raises(Refusal) as refused:
        await quick_scene.program.conversations._book.add(said)
    folder.rmdir()
    folder.with_name("elsewhere").rename(folder)
    await quick_scene.program.conversations._book.add(said)

    folder.chmod(0o755)
    opened = await ravi.ask("GET", f"/v1/bookings/{booked['id']}")
    folder.chmod(0o700)

    assert (shown.status, opened.status, refused.value.fault) == (503, 503, OVERLOADED)
    assert (await ravi.ask("GET", f"/v1/bookings/{booked['id']}")).status == 200
