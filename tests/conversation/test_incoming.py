"""What other programs send: nothing is believed, nothing is lost, nothing harmful is kept."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace

import pytest

from tests.conversation.scene import DOCTOR_ID, PATIENT_ID, PDF, PNG, REPORT, chat, files_in, media, opened, words
from tests.files.scanner_server import EICAR, ScannerServer
from uhi.actions import TO_CONSUMER, TO_PROVIDER
from uhi.conversation import Kind, Why
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.files import Clamd
from uhi.messages.conversation import ChatContent, ChatIntent, MessageToConsumer, MessageToProvider
from uhi.storage.sealing import Sealing
from uhi.subscribers import Role
from uhi.verified import Thread

ID = "11111111-2222-3333-4444-555555555555"


async def from_patient(scene, intent: ChatIntent, thread: Thread | None = None) -> None:
    """Some other program of the consumer's says something."""
    await scene.app.tell(TO_PROVIDER, MessageToProvider(intent=intent), thread or scene.thread)
    await scene.settle()


class Gone:
    """The keys of accounts, all of them destroyed."""

    def of(self, *_: object, **__: object) -> Sealing:
        raise Refusal(RECORD_MISSING)


def hears_nothing(scene) -> bool:
    return not any(path.name for path in files_in(scene.files[Role.PROVIDER]))


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [
        ("meena.rao@sbx", DOCTOR_ID),
        (PATIENT_ID, "other.doctor@hpr.ndhm"),
        (DOCTOR_ID, PATIENT_ID),
        (PATIENT_ID, PATIENT_ID),
    ],
)
async def test_a_message_between_other_people_is_ignored(stage, caplog, sender, receiver):
    """UHI on_message: sender and receiver are those of the order, whatever the heading or the message says."""
    await from_patient(stage, chat(words("let me in"), sender=sender, receiver=receiver))

    assert await stage.heard(stage.doctor) == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "app.example: a chat message fits no order between these two, and is ignored"
    ]


@pytest.mark.parametrize("content", [words("hello"), media(PDF, "application/pdf")])
async def test_what_is_said_about_who_is_erased_at_this_moment_is_ignored(stage, caplog, content):
    """Case IAM-17: there is no key any more to keep it with, and coming again would not help."""
    stage.doctor._book._sealers = Gone()

    await from_patient(stage, chat(content))

    assert await stage.heard(stage.doctor) == []
    assert hears_nothing(stage)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "app.example: a chat message is about somebody who was erased just now, and is ignored"
    ]


async def test_addresses_are_the_same_in_any_case(stage):
    """ABDM: an address names one person however it is capitalised."""
    await from_patient(stage, chat(words("hello"), sender=PATIENT_ID.upper(), receiver=DOCTOR_ID.title()))

    assert [message.text for message in await stage.heard(stage.doctor)] == ["hello"]


async def test_a_message_of_an_unknown_transaction_is_ignored(scene):
    """Issue: only within a known order of that consumer."""
    await from_patient(scene, chat(words("hello")), replace(scene.thread, transaction_id="nobody-knows"))

    assert await scene.heard(scene.doctor) == []


async def test_a_foreign_consumer_that_knows_a_transaction_is_ignored(scene):
    """Issue: an order of another consumer is as good as none, with every id in it right."""
    other = await scene.net.consumer("other.example")
    thread = replace(scene.thread, consumer_id="other.example")

    await other.tell(TO_PROVIDER, MessageToProvider(intent=chat(words("let me in"))), thread)

    assert await scene.heard(scene.doctor) == []


async def test_a_foreign_provider_that_knows_a_transaction_is_ignored(scene):
    """Issue: the same at the patient's side."""
    other = await scene.net.provider("other.example")
    intent = chat(words("let me in"), sender=DOCTOR_ID, receiver=PATIENT_ID)

    await other.tell(TO_CONSUMER, MessageToConsumer(intent=intent), replace(scene.thread, provider_id="other.example"))

    assert await scene.heard(scene.patient) == []


async def test_a_message_that_comes_twice_is_kept_once(scene):
    """Issue: duplicates have one effect, by content id; a new message id makes no new message."""
    for _ in range(3):
        await from_patient(scene, chat(words("once", content_id=ID)))
    await from_patient(scene, chat(words("other", content_id=ID.replace("1", "2"))))

    assert [message.text for message in await scene.heard(scene.doctor)] == ["once", "other"]
    assert (await scene.doctor.unread([scene.order_id])) == {scene.order_id: 2}


async def test_both_sides_may_use_the_same_content_id(stage):
    """Ours: an id is the speaker's own."""
    await from_patient(stage, chat(words("from the patient", content_id=ID)))
    intent = chat(words("from the doctor", content_id=ID), sender=DOCTOR_ID, receiver=PATIENT_ID)
    await stage.hospital.tell(TO_CONSUMER, MessageToConsumer(intent=intent), stage.thread)

    assert [message.text for message in await stage.heard(stage.doctor)] == ["from the patient"]
    assert [message.text for message in await stage.heard(stage.patient)] == ["from the doctor"]


BAD = [
    (words(" \n "), Why.EMPTY),
    (words("x" * 4_001), Why.TEXT_TOO_LONG),
    (words("x" * 60_000), Why.TEXT_TOO_LONG),
    (words(b"\xff\xfe"), Why.NOT_TEXT),
    (words("a\0b"), Why.NOT_TEXT),
    (ChatContent(content_id="c", content_value="not base64!", content_type="text"), Why.NOT_BASE64),
    (media("%%%", "application/pdf"), Why.NOT_BASE64),
    (media(b"MZ" + bytes(500), "application/x-msdownload", "x.exe"), Why.TYPE_NOT_TAKEN),
    (media(b"MZ" + bytes(500), "application/pdf"), Why.TYPE_MISMATCH),
    (media(PNG, "image/jpeg", "x.jpg"), Why.TYPE_MISMATCH),
    (media(b"<!DOCTYPE html><script>", "text/plain", "x.txt"), Why.TYPE_MISMATCH),
    (media(PDF + bytes(5 * 1_048_576), "application/pdf"), Why.TOO_LARGE),
]


@pytest.mark.parametrize(("content", "why"), BAD, ids=[f"{at}-{why}" for at, (_, why) in enumerate(BAD)])
async def test_content_that_is_not_taken_is_kept_as_refused(stage, caplog, content, why):
    """Issue: bad base64, oversized, wrong type: nothing is lost, the content is not kept, the log has the reason."""
    await from_patient(stage, chat(content.model_copy(update={"content_id": ID})))

    [message] = await stage.heard(stage.doctor)

    assert (message.refused, message.text) == (why.value, "")
    assert message.kind is (Kind.TEXT if content.content_type == "text" else Kind.DOCUMENT)
    assert stage.doctor.link(message) == ""
    assert hears_nothing(stage)
    assert f"the content of a chat message is not taken ({why.value})" in caplog.text


@pytest.mark.parametrize("mime", ["pdf/application", "application/pdf", "Application/PDF; charset=binary"])
async def test_a_pdf_is_taken_under_every_spelling(stage, mime):
    """UHI on_message: samples say pdf/application."""
    await from_patient(stage, chat(media(PDF, mime)))

    [message] = await stage.heard(stage.doctor)

    assert (message.refused, message.document.media_type) == ("", "application/pdf")


async def test_base64_with_line_breaks_is_read(stage):
    """Older Android phones break base64 into lines."""
    value = base64.encodebytes(b"a longer text " * 20).decode()

    await from_patient(stage, chat(ChatContent(content_id="c", content_value=value, content_type="text")))

    assert [message.text for message in await stage.heard(stage.doctor)] == ["a longer text " * 20]


async def test_infected_content_is_never_stored(sqlite_of, tmp_path):
    """Issue: virus scan; EICAR in a text file from a peer."""
    async with ScannerServer().running() as server, opened(sqlite_of, tmp_path, scanner=Clamd(server.url)) as scene:
        await scene.book()
        await from_patient(scene, chat(media(EICAR, "text/plain", "x.txt", content_id=ID)))
        await from_patient(scene, chat(media(PDF, "application/pdf", content_id=ID.replace("1", "2"))))

        infected, clean = await scene.heard(scene.doctor)

        assert (infected.refused, infected.document.key, clean.refused, clean.document.scan) == (
            *(Why.INFECTED.value, ""),
            *("", "CLEAN"),
        )
        assert len(files_in(scene.files[Role.PROVIDER])) == 1


async def test_signals_of_a_call_are_passed_on_and_not_kept(scene):
    """UHI chat content types other than text and media: the devices' business."""
    listener = scene.doctor.listen()
    offer = ChatContent(content_id=ID, content_value='{"type":"OFFER"}', content_type="video_call_signalling")

    await scene.patient.signal(scene.order_id, offer)
    await scene.settle()

    signal = await anext(listener)
    assert (signal.order_id, signal.content_type) == (scene.order_id, "video_call_signalling")
    assert signal.content.content_value == '{"type":"OFFER"}'
    assert await scene.heard(scene.doctor) == []
    assert "OFFER" not in repr(signal)


async def test_listeners_hear_both_sides(stage):
    """Ours: an application shows what comes without asking for it."""
    listener = stage.doctor.listen()

    await stage.patient.say(stage.order_id, "one")
    await stage.settle()
    await stage.doctor.say(stage.order_id, "two")

    assert [(await anext(listener)).text, (await anext(listener)).text] == ["one", "two"]


async def test_a_store_that_is_away_delays_a_document_and_loses_nothing(stage):
    """Issue: nothing lost; the handler is run again as when its database is away."""
    folder, listener = stage.files[Role.PROVIDER], stage.doctor.listen()
    folder.rename(folder.with_suffix(".away"))
    folder.write_text("in the place of the folder")
    await stage.patient.send(stage.order_id, REPORT)
    await stage.patient.say(stage.order_id, "did you get it?")
    assert (await anext(listener)).text == "did you get it?"

    folder.unlink()
    folder.with_suffix(".away").rename(folder)
    await stage.clock.advance(5)

    assert {message.kind for message in await stage.heard(stage.doctor)} == {Kind.TEXT, Kind.DOCUMENT}
