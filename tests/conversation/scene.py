"""A hospital and a patient's application on one network, each with a database, with an appointment to talk about."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.booking.ward import RAVI, Ward, slot
from uhi.booking import Booking, Bookings, ConsultationProvider, DoctorQuery, Policy, SqlBookings
from uhi.conversation import Conversations, Document, Message, ProviderOrders, Shelf, Talk, talk_of_booking
from uhi.files import LocalFolder, NoScanner, Scanner
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages.conversation import Chat, ChatContent, ChatIntent, ChatParty
from uhi.messages.people import Person
from uhi.messages.times import Time
from uhi.participant import Participant
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.storage import SqlStorage
from uhi.subscribers import Role
from uhi.testing import FakeClock, Network, Options
from uhi.verified import Thread

CLINIC, APP = "clinic.example", "app.example"
DOCTOR_ID, PATIENT_ID = "asha.verma@hpr.ndhm", "ravi.kumar@sbx"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
REPORT = Document(content=PDF, media_type="application/pdf", name="report.pdf", hi_type="labReport")

UrlOf = Callable[[str], str]


@dataclass
class Diary:
    """Stands in for what a patient's application keeps of its bookings."""

    talks: dict[str, Talk] = field(default_factory=dict)

    async def find(self, order_id: str) -> Talk | None:
        return self.talks.get(order_id)

    async def of_thread(self, thread: Thread) -> Sequence[Talk]:
        return [talk for talk in self.talks.values() if talk.thread.transaction_id == thread.transaction_id]


@dataclass
class Scene:
    """Both sides, and how they talk. Time stands still unless a test moves it."""

    net: Network
    clock: FakeClock
    hospital: Participant
    app: Participant
    ward: Ward
    provider: ConsultationProvider
    bookings: Bookings
    doctor: Conversations
    patient: Conversations
    diary: Diary
    files: dict[Role, Path]
    booking: Booking | None = None

    @property
    def order_id(self) -> str:
        """The order they talk about."""
        assert self.booking is not None
        return self.booking.order_id

    @property
    def thread(self) -> Thread:
        """Its transaction."""
        assert self.booking is not None
        return self.booking.thread

    async def book(self, number: int = 0) -> Booking:
        """Make an appointment, and tell the patient's application that the facility takes messages."""
        found = [one async for one in self.bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=2)]
        slots = await self.bookings.slots(found[0])
        offer = await self.bookings.hold(next(each for each in slots if each.slot.id == f"slot-{number}"), RAVI)
        booking = self.booking = await self.bookings.confirm(offer, agreed=offer.terms)
        self.diary.talks[booking.order_id] = talk_of_booking(booking, RAVI, account_id="acc-ravi")
        await self.net.settle()
        self.clock.jumps = False
        return booking

    def shelf(self) -> Shelf:
        """The hospital's file store, opened once more."""
        return Shelf(LocalFolder(self.files[Role.PROVIDER]))

    async def settle(self) -> None:
        """Wait until everything said is heard."""
        await self.net.settle()

    async def heard(self, side: Conversations) -> list[Message]:
        """Everything that a side has of the conversation."""
        await self.settle()
        return list((await side.page(self.order_id)).messages)


def chat(content: ChatContent, *, sender: str = PATIENT_ID, receiver: str = DOCTOR_ID) -> ChatIntent:
    """A chat message as some other program writes it; by default from the patient."""
    return ChatIntent(
        chat=Chat(
            sender=ChatParty(person=Person(id=sender, name="Somebody")),
            receiver=ChatParty(person=Person(id=receiver, name="Somebody else")),
            content=content,
            time=Time(timestamp="2026-09-22T10:00:00"),
        )
    )


def media(value: bytes | str, mime: str, name: str = "a.pdf", *, content_id: str = "c-1") -> ChatContent:
    """A document as it comes."""
    return ChatContent(
        content_id=content_id,
        content_value=value if isinstance(value, str) else base64.b64encode(value).decode(),
        content_type="media",
        content_mimeType=mime,
        content_fileName=name,
    )


def words(text: str | bytes, *, content_id: str = "c-1") -> ChatContent:
    """A text as it comes."""
    raw = text.encode() if isinstance(text, str) else text
    return ChatContent(content_id=content_id, content_value=base64.b64encode(raw).decode(), content_type="text")


@asynccontextmanager
async def opened(url_of: UrlOf, folder: Path, *, scanner: Scanner | None = None) -> AsyncIterator[Scene]:
    """A scene in which nobody has booked yet. `scanner` is the hospital's."""
    sealing = Sealing.for_development()

    def keep(subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id not in (CLINIC, APP):
            return None
        assert isinstance(clock, FakeClock)
        url = url_of(subscriber_id)
        return keeping_in_database(url, sealing, clock=clock, owner=subscriber_id, during=clock.held)

    async with Network(Options(keeping=keep)) as net:
        hospital, app = await net.provider(CLINIC), await net.consumer(APP)
        yield _scene(net, hospital, app, folder, scanner or NoScanner())


def _scene(net: Network, hospital: Participant, app: Participant, folder: Path, scanner: Scanner) -> Scene:
    ward = Ward(net.clock)
    ward.offer(slot(0), slot(1), slot(2))
    policy = Policy(name="Demo", messaging_support=True)
    provider = ConsultationProvider(ward, speaker=hospital, policy=policy)
    bookings, diary = Bookings(app), Diary()
    storage = hospital.world.storage
    assert isinstance(storage, SqlStorage)
    orders = ProviderOrders(storage.database, SqlBookings(storage, provider_id=CLINIC), provider_id=CLINIC)
    files = {Role.PROVIDER: folder / "hospital", Role.CONSUMER: folder / "app"}
    doctor = Conversations(
        hospital, orders, side=Role.PROVIDER, shelf=Shelf(LocalFolder(files[Role.PROVIDER]), scanner)
    )
    patient = Conversations(app, diary, side=Role.CONSUMER, shelf=Shelf(LocalFolder(files[Role.CONSUMER])))
    for group in (provider.handlers, doctor.handlers):
        hospital.include(group)
    for group in (bookings.handlers, patient.handlers):
        app.include(group)
    assert isinstance(net.clock, FakeClock)
    return Scene(net, net.clock, hospital, app, ward, provider, bookings, doctor, patient, diary, files)


def files_in(root: Path) -> list[Path]:
    """The files below a folder."""
    return sorted(path for path in root.rglob("*") if path.is_file())


def without_messaging(talk: Talk) -> Talk:
    """The talk of a facility that takes no messages."""
    return replace(talk, reach=replace(talk.reach, messaging=False))
