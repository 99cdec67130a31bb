"""A conversation whose every word is marked: nothing that is written anywhere shows a mark."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.conversation.scene import APP, CLINIC, DOCTOR_ID, PDF, chat, files_in, media, words
from uhi.actions import TO_PROVIDER
from uhi.conversation import Document
from uhi.errors import ContentRefused, FileMissing, Refusal, SetupError
from uhi.files import SignedLink
from uhi.messages.conversation import MessageToProvider
from uhi.storage.sql.tables import metadata

MARKS = {
    "text": "kanaritext: it hurts since Tuesday",
    "name": "Kanarireport Patientsson",
    "file": "kanarifile-inside-the-document",
    "refused": "kanarirefused",
}
_EVERYWHERE = {name: (mark.encode(), base64.b64encode(mark.encode()).rstrip(b"=")[:-2]) for name, mark in MARKS.items()}
REPORT = Document(content=PDF + MARKS["file"].encode(), media_type="application/pdf", name=f"{MARKS['name']}.pdf")


def found(where: bytes) -> list[str]:
    return [name for name, spellings in _EVERYWHERE.items() if any(each in where for each in spellings)]


async def talked(scene) -> list[str]:
    """Both say and send everything, and fail at it; returns what errors and links say."""
    shown = []
    for side in (scene.patient, scene.doctor):
        await side.say(scene.order_id, MARKS["text"])
        message = await side.send(scene.order_id, REPORT)
        shown += [side.link(message), repr(message)]
        with pytest.raises(ContentRefused) as refused:
            await side.say(scene.order_id, MARKS["refused"] + "\0")
        shown += [str(refused.value), repr(refused.value)]
    for content in (
        words(MARKS["refused"] + "\0", content_id=MARKS["refused"]),
        media("%" + MARKS["refused"], MARKS["refused"], f"{MARKS['refused']}.exe", content_id="x"),
    ):
        await scene.app.tell(TO_PROVIDER, MessageToProvider(intent=chat(content)), scene.thread)
        stranger = chat(content, sender=MARKS["refused"], receiver=DOCTOR_ID)
        await scene.app.tell(TO_PROVIDER, MessageToProvider(intent=stranger), scene.thread)
    await scene.settle()
    with pytest.raises(Refusal) as refusal:
        await scene.patient.fetch(SignedLink(message.id, 2**40, "0" * 64))
    return [
        *shown,
        str(refusal.value),
        repr(await scene.heard(scene.doctor)),
        repr(scene.doctor),
        repr(list(scene.net.calls)),
    ]


async def rows_of(scene) -> bytes:
    def dumped(connection: Connection) -> bytes:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(table.select())]
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)

    each = [await one.world.kept.database.read(dumped) for one in (scene.hospital, scene.app)]
    return b"\n".join(each)


async def test_nothing_that_is_written_shows_what_was_said(scene, caplog, tmp_path):
    """Privacy rules: content never in the database, its log, the folder, logs, errors, URLs or reprs."""
    caplog.set_level(logging.DEBUG)

    shown = await talked(scene)

    on_disk = {str(path.relative_to(tmp_path)): path.read_bytes() for path in files_in(tmp_path)}
    logged = caplog.text + repr([vars(record) for record in caplog.records])
    written = {"rows": await rows_of(scene), "logs": logged.encode(), "shown": repr(shown).encode(), **on_disk}
    assert {name: found(raw) for name, raw in written.items() if found(raw) or found(name.encode())} == {}
    assert sum("hospital/chat" in name for name in on_disk) == 2
    texts = [message.text for message in await scene.heard(scene.doctor)]
    assert texts.count(MARKS["text"]) == 2


async def test_a_document_is_sealed_for_its_own_place(stage):
    """Security rules: one sealed file put in the place of another does not open."""
    for _ in range(2):
        await stage.doctor.send(stage.order_id, REPORT)
    one, other = (await stage.doctor.page(stage.order_id)).messages
    root: Path = next(iter(stage.files.values()))
    (root / other.document.key).write_bytes((root / one.document.key).read_bytes())

    link = SignedLink(*_parts(stage.doctor.link(other)))

    with pytest.raises(SetupError, match="damaged, or belongs to another row"):
        await stage.doctor.fetch(link)


async def test_a_document_that_is_gone_is_missing(stage):
    """Ours: a restored backup may lack files; that is an answer and no failure."""
    message = await stage.doctor.send(stage.order_id, REPORT)
    (next(iter(stage.files.values())) / message.document.key).unlink()

    with pytest.raises(FileMissing):
        await stage.doctor.fetch(SignedLink(*_parts(stage.doctor.link(message))))


async def test_a_link_ends_and_opens_no_other_program(stage):
    """Issue: signed URLs with expiry."""
    message = await stage.doctor.send(stage.order_id, REPORT)
    [heard] = await stage.heard(stage.patient)
    link = SignedLink(*_parts(stage.doctor.link(message)))
    assert (await stage.doctor.fetch(link)).document.name == REPORT.name

    with pytest.raises(Refusal, match="not made here"):
        await stage.patient.fetch(SignedLink(heard.id, link.expires, link.signature))
    await stage.clock.advance(301)
    with pytest.raises(Refusal, match="has ended"):
        await stage.doctor.fetch(link)

    assert {stage.hospital.subscriber_id, stage.app.subscriber_id} == {CLINIC, APP}


def _parts(url: str) -> tuple[str, int, str]:
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    return path.rpartition("/")[2], int(expires), signature
