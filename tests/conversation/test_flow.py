"""Conversations across a whole network: both sides, real doors, real orders, on both databases."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from tests.conversation.scene import CLINIC, PDF, REPORT
from uhi.conversation import Kind, Said
from uhi.files import SignedLink
from uhi.storage.sql.storage import SqlStorage
from uhi.storage.sql.tables import inbox, request


def link_of(url: str) -> SignedLink:
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    return SignedLink(path.rpartition("/")[2], int(expires), signature)


async def forget_messages(storage: SqlStorage, transaction_id: str) -> None:
    def work(connection: Connection) -> None:
        for table in (inbox, request):
            connection.execute(delete(table).where(table.c.transaction_id == transaction_id))

    await storage.database.write(work)


async def test_patient_and_doctor_talk_in_order(scene):
    """UHI on_message: both directions, in the order in which it was said."""
    await scene.patient.say(scene.order_id, "It hurts again", said=Said(by="acc-ravi"))
    await scene.settle()
    await scene.doctor.say(scene.order_id, "Since when?\nदर्द कब से है?", said=Said(by="acc-asha"))
    await scene.settle()
    await scene.patient.say(scene.order_id, "Since Tuesday 🤒")

    for side, ours in ((scene.patient, [True, False, True]), (scene.doctor, [False, True, False])):
        heard = await scene.heard(side)
        assert [message.text for message in heard] == [
            "It hurts again",
            "Since when?\nदर्द कब से है?",
            "Since Tuesday 🤒",
        ]
        assert [message.is_ours for message in heard] == ours
        assert [message.seq for message in heard] == [1, 2, 3]


async def test_a_document_arrives_as_it_was_sent(scene):
    """UHI on_message, media: type, name, kind of health document; served by a signed link."""
    await scene.doctor.send(scene.order_id, REPORT, said=Said(by="acc-asha"))

    [message] = await scene.heard(scene.patient)
    fetched = await scene.patient.fetch(link_of(scene.patient.link(message)))

    assert (message.kind, message.is_ours, message.refused) == (Kind.DOCUMENT, False, "")
    told = message.document
    assert (told.name, told.media_type, told.size) == ("report.pdf", "application/pdf", len(PDF))
    assert (told.hi_type, told.scan) == ("labReport", "NOT_SCANNED")
    assert fetched.document.content == PDF


async def test_many_texts_at_once_keep_their_order(scene):
    """UHI on_message: what was said first is read first."""
    texts = [f"line {number}" for number in range(20)]

    for text in texts:
        await scene.patient.say(scene.order_id, text)

    assert [message.text for message in await scene.heard(scene.doctor)] == texts


async def test_unread_messages_are_counted_until_they_are_read(scene):
    """Issue: unread count, read marks."""
    for number in range(3):
        await scene.patient.say(scene.order_id, f"line {number}")
    await scene.heard(scene.doctor)
    before = await scene.doctor.unread([scene.order_id, "other"])

    two_read = await scene.doctor.read_upto(scene.order_id, 2)
    back = await scene.doctor.read_upto(scene.order_id, 1)
    await scene.doctor.say(scene.order_id, "I see")
    all_read = await scene.doctor.read_upto(scene.order_id, 99)

    assert before == {scene.order_id: 3}
    assert (two_read.read, two_read.unread, back.read, back.unread) == (2, 1, 2, 1)
    assert (all_read.last, all_read.read, all_read.unread) == (4, 4, 0)
    assert await scene.doctor.unread([scene.order_id]) == {}


async def test_pages_go_back_and_forth(scene):
    """Issue: paging by cursor."""
    for number in range(1, 8):
        await scene.doctor.say(scene.order_id, f"line {number}")

    newest = await scene.doctor.page(scene.order_id, most=3)
    earlier = await scene.doctor.page(scene.order_id, before=newest.messages[0].seq, most=3)
    since = await scene.doctor.page(scene.order_id, after=5, most=3)

    assert [message.seq for message in newest.messages] == [5, 6, 7]
    assert [message.seq for message in earlier.messages] == [2, 3, 4]
    assert [message.seq for message in since.messages] == [6, 7]


async def test_the_same_content_id_is_said_once(scene):
    """Issue: duplicates have one effect, at the sender and at the receiver."""
    said = Said(content_id="11111111-2222-3333-4444-555555555555")

    first = await scene.patient.say(scene.order_id, "once", said=said)
    again = await scene.patient.say(scene.order_id, "once", said=said)

    assert again == first
    assert [message.text for message in await scene.heard(scene.doctor)] == ["once"]


async def test_two_orders_of_one_doctor_are_two_conversations(scene):
    """UHI: a transaction has its order, and a message belongs to its transaction."""
    first = scene.order_id
    scene.clock.jumps = True
    await scene.book(1)

    await scene.patient.say(first, "about the first")
    await scene.patient.say(scene.order_id, "about the second")
    await scene.settle()

    of_first = await scene.doctor.page(first)
    assert [message.text for message in of_first.messages] == ["about the first"]
    assert [message.text for message in await scene.heard(scene.doctor)] == ["about the second"]


async def test_a_conversation_outlives_its_program(scene):
    """Issue: durable on SQL; another life of the program finds everything."""
    await scene.patient.say(scene.order_id, "before the crash")
    await scene.settle()
    letters = [hop for hop in scene.net.calls if "on_message" in repr(hop)]

    again = type(scene.doctor)(scene.hospital, scene.doctor.orders, side=scene.doctor._side, shelf=scene.shelf())

    assert letters
    assert [message.text for message in (await again.page(scene.order_id)).messages] == ["before the crash"]
    assert scene.hospital.subscriber_id == CLINIC


async def test_an_order_is_talked_about_when_its_messages_are_forgotten(scene):
    """Ours: an order outlives the messages that made it (400 days); strangers to it are refused as ever."""
    for side in (scene.hospital, scene.app):
        await forget_messages(side.world.storage, scene.thread.transaction_id)

    await scene.patient.say(scene.order_id, "It hurts again")
    await scene.settle()
    await forget_messages(scene.app.world.storage, scene.thread.transaction_id)
    await scene.doctor.say(scene.order_id, "Since when?")

    assert [message.text for message in await scene.heard(scene.patient)] == ["It hurts again", "Since when?"]
    for side in (scene.hospital, scene.app):
        transaction = scene.thread.transaction_id
        assert not await side.world.storage.talks_with(side.subscriber_id, "other.example", transaction)
