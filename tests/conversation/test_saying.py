"""What our own people may say, when, and what becomes of it if something fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.conversation.scene import PDF, REPORT, files_in, opened, without_messaging
from tests.files.scanner_server import EICAR, ScannerServer
from uhi.conversation import Conversations, Document, Said, Shelf, Why
from uhi.errors import ContentRefused, DeliveryError, MessagesNotTaken, OrderUnknown, Refusal, SetupError, StateConflict
from uhi.faults import OVERLOADED
from uhi.files import Clamd, LocalFolder
from uhi.messages.conversation import ChatContent
from uhi.subscribers import Role
from uhi.testing import Network


async def test_a_patient_is_told_of_the_helpline_where_messages_are_not_taken(stage):
    """UHI messaging_support false: offer helpline, deep link, chatbot link."""
    stage.diary.talks[stage.order_id] = without_messaging(stage.diary.talks[stage.order_id])
    signal = ChatContent(content_value="x", content_type="call")

    for saying in (
        stage.patient.say(stage.order_id, "hello"),
        stage.patient.send(stage.order_id, REPORT),
        stage.patient.signal(stage.order_id, signal),
    ):
        with pytest.raises(MessagesNotTaken, match="use the helpline"):
            await saying

    assert (await stage.patient.page(stage.order_id)).reach.helpline_number == "1800000001"
    assert await stage.heard(stage.doctor) == []


async def test_messaging_support_comes_from_the_confirmation(stage):
    """UHI on_confirm: messaging_support, helpline_number."""
    reach = (await stage.patient.page(stage.order_id)).reach

    assert (reach.messaging, reach.helpline_number) == (True, "1800000001")


async def test_nothing_is_said_about_an_unknown_order(stage):
    """Issue: only within a known order."""
    for side in (stage.patient, stage.doctor):
        for asking in (side.say("nobody-knows", "hello"), side.page("nobody-knows"), side.read_upto("nobody-knows", 1)):
            with pytest.raises(OrderUnknown):
                await asking


async def test_nothing_is_said_about_an_order_that_was_called_off(scene):
    """Ours: what was said stays to be read, and nothing is added."""
    await scene.doctor.say(scene.order_id, "see you soon")
    await scene.provider.cancelled("appointment-slot-0", "DOCTOR_PERSONAL_EMERGENCY")
    await scene.settle()

    with pytest.raises(StateConflict, match="helpline"):
        await scene.doctor.say(scene.order_id, "sorry")

    assert [message.text for message in await scene.heard(scene.doctor)] == ["see you soon"]


@pytest.mark.parametrize(
    ("text", "why"), [("", Why.EMPTY), ("x" * 4_001, Why.TEXT_TOO_LONG), ("a\x1b[31m", Why.NOT_TEXT)]
)
async def test_a_text_that_is_not_taken_is_not_sent(stage, text, why):
    """Issue: text of at most 4,000 characters."""
    with pytest.raises(ContentRefused) as refused:
        await stage.patient.say(stage.order_id, text)

    assert refused.value.reason == why.value
    assert await stage.heard(stage.patient) == []


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (replace(REPORT, content=b""), Why.EMPTY),
        (replace(REPORT, content=PDF + bytes(5 * 1_048_576)), Why.TOO_LARGE),
        (replace(REPORT, media_type="video/mp4"), Why.TYPE_NOT_TAKEN),
        (replace(REPORT, media_type="image/png"), Why.TYPE_MISMATCH),
    ],
)
async def test_a_document_that_is_not_taken_is_neither_kept_nor_sent(stage, document, why):
    """Issue: at most 5 MiB, of the types that are taken, by content."""
    with pytest.raises(ContentRefused) as refused:
        await stage.patient.send(stage.order_id, document)

    assert refused.value.reason == why.value
    assert await stage.heard(stage.patient) == []
    assert files_in(stage.files[Role.CONSUMER]) == []


async def test_the_largest_document_passes(stage):
    """Issue: 5 MiB, within the 8 MiB that an on_message may have."""
    content = PDF + bytes(5 * 1_048_576 - len(PDF))

    await stage.patient.send(stage.order_id, replace(REPORT, content=content))

    [message] = await stage.heard(stage.doctor)
    assert (message.refused, message.document.size) == ("", 5 * 1_048_576)


async def test_an_infected_document_of_ours_goes_nowhere(sqlite_of, tmp_path):
    """Issue: infected content is never stored."""
    async with ScannerServer().running() as server, opened(sqlite_of, tmp_path, scanner=Clamd(server.url)) as scene:
        await scene.book()

        with pytest.raises(ContentRefused) as refused:
            await scene.doctor.send(scene.order_id, Document(content=EICAR, media_type="text/plain", name="notes.txt"))

        assert refused.value.reason == Why.INFECTED.value
        assert await scene.heard(scene.patient) == await scene.heard(scene.doctor) == []
        assert files_in(scene.files[Role.PROVIDER]) == []


async def test_without_its_scanner_nothing_is_taken(sqlite_of, tmp_path):
    """Security rules: a scanner that was asked for and is away is no reason to do without it."""
    async with (
        ScannerServer(answer=b"").running() as server,
        opened(sqlite_of, tmp_path, scanner=Clamd(server.url)) as scene,
    ):
        await scene.book()

        with pytest.raises(Refusal) as refused:
            await scene.doctor.send(scene.order_id, REPORT)

        assert refused.value.fault is OVERLOADED
        assert files_in(scene.files[Role.PROVIDER]) == []


async def test_the_same_document_sent_at_once_twice_is_kept_once(scene):
    """Issue: duplicates have one effect, in the file store too."""
    said = Said(content_id="11111111-2222-3333-4444-555555555555")

    one, other = await asyncio.gather(
        scene.patient.send(scene.order_id, REPORT, said=said), scene.patient.send(scene.order_id, REPORT, said=said)
    )

    assert one == other
    assert len(files_in(scene.files[Role.CONSUMER])) == 1
    assert len(await scene.heard(scene.doctor)) == 1


async def test_a_message_is_kept_with_its_letter_or_not_at_all(stage):
    """Ours: a message that nobody carries is not shown as sent."""
    talk = stage.diary.talks[stage.order_id]
    stage.diary.talks[stage.order_id] = replace(talk, thread=replace(talk.thread, provider_id="gone.example"))

    with pytest.raises(DeliveryError):
        await stage.patient.say(stage.order_id, "hello")

    assert await stage.heard(stage.patient) == []


async def test_conversations_take_a_database(tmp_path):
    """Issue: durable on SQL."""
    async with Network() as net:
        app = await net.consumer()

        with pytest.raises(SetupError, match="UHI_DATABASE_URL"):
            Conversations(app, None, side=Role.CONSUMER, shelf=Shelf(LocalFolder(tmp_path / "files")))
