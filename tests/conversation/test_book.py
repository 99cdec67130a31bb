"""What several processes keep of one conversation, and what is forgotten of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.conversation.scene import REPORT, files_in
from uhi.clock import SystemClock
from uhi.conversation import Kind, Message, shelf_at
from uhi.conversation.book import ChatBook
from uhi.errors import MessageKnown, SetupError
from uhi.files import Clamd, LocalFolder
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage
from uhi.subscribers import Role

SEALING = Sealing.for_development()


def a_message(number: int, *, by: str = "a") -> Message:
    name = f"{by}-{number}"
    return Message(id=name, order_id="o", is_ours=False, kind=Kind.TEXT, at=1.0, content_id=name, text=name)


@pytest.fixture
async def books(postgres_url):
    """Two processes of one program."""
    databases = [Database.open(postgres_url, clock=SystemClock()) for _ in range(2)]
    yield [ChatBook(SqlStorage(each, SEALING, owner=f"here/{at}"), owner="clinic") for at, each in enumerate(databases)]
    for each in databases:
        await each.aclose()


async def test_two_processes_number_messages_without_gaps(books):
    """Issue: order of messages; the row of the conversation is taken first."""
    work = [book.add(a_message(number, by=by)) for number in range(15) for book, by in zip(books, "ab", strict=True)]

    kept = await asyncio.gather(*work)

    assert sorted(message.seq for message in kept) == list(range(1, 31))
    leaf = await books[0].page("o", before=0, after=0, most=100)
    assert (leaf.counted.last, leaf.counted.unread) == (30, 30)
    assert {message.text for message in leaf.messages} == {message.text for message in kept}


async def test_one_message_that_two_processes_hear_is_kept_once(books):
    """Issue: duplicates have one effect, whoever is faster."""
    work = [book.add(replace(a_message(1), id=f"row-{at}")) for at, book in enumerate(books * 4)]

    outcomes = await asyncio.gather(*work, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(MessageKnown) == 7
    assert (await books[1].page("o", before=0, after=0, most=100)).counted.last == 1


async def test_a_message_whose_key_is_lost_is_shown_without_its_content(stage):
    """Ours: a lost key hides what it sealed, and nothing else."""
    await stage.doctor.say(stage.order_id, "before")
    storage = stage.hospital.world.storage
    other = SqlStorage(storage.database, Sealing.for_development(), owner="here/0")

    leaf = await ChatBook(other, owner=stage.hospital.subscriber_id).page(stage.order_id, before=0, after=0, most=9)

    assert [(message.text, message.refused) for message in leaf.messages] == [("", "UNREADABLE")]


async def test_a_conversation_is_forgotten_with_its_documents(scene):
    """Privacy rules, erasure: rows and files go, and another conversation stays."""
    first = scene.order_id
    await scene.doctor.send(first, REPORT)
    scene.clock.jumps = True
    await scene.book(1)
    await scene.doctor.send(scene.order_id, REPORT)

    await scene.doctor.forget(first)
    await scene.doctor.forget(first)

    assert (await scene.doctor.page(first)).messages == ()
    assert len(files_in(scene.files[Role.PROVIDER])) == 1
    assert len((await scene.doctor.page(scene.order_id)).messages) == 1


async def test_a_document_that_no_message_got_is_removed_later(scene, monkeypatch):
    """Ours: a process that dies between file store and database leaves nothing of a patient behind for good."""

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    await scene.doctor.send(scene.order_id, REPORT)
    monkeypatch.setattr(scene.doctor._book, "say", dies)
    with pytest.raises(KeyboardInterrupt):
        await scene.doctor.send(scene.order_id, REPORT)
    monkeypatch.undo()
    await scene.doctor.tidy()
    assert len(files_in(scene.files[Role.PROVIDER])) == 2

    scene.clock.time += 3_601
    await scene.doctor.tidy()

    [kept] = (await scene.doctor.page(scene.order_id)).messages
    assert len(files_in(scene.files[Role.PROVIDER])) == 1
    assert (await scene.doctor._vault.get(kept.document.key, "")) == REPORT.content


def test_a_shelf_is_opened_from_settings(tmp_path):
    """Issue: local folder by default, a virus scanner by address."""
    plain = shelf_at(f"file://{tmp_path}/files")
    scanned = shelf_at(f"file://{tmp_path}/files", scanner_url="tcp://127.0.0.1:3310")

    assert isinstance(plain.store, LocalFolder)
    assert isinstance(scanned.scanner, Clamd)
    with pytest.raises(SetupError):
        shelf_at("elsewhere")
