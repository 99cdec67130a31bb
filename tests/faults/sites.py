"""The programs of a simulated network, and what each has that outlives its crashes: clock, key, storage, orders.

Each is the real one: gateway, hospital, consumer's bookings, on a `MemoryStorage` that is its disk.
Above: `simulation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from gateway.app import Gateway
from gateway.network_registry.counters import lookup_entrance
from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import HospitalData, Practice
from participants.demo_hospital.hospital import DemoHospital
from participants.demo_hospital.schedule import Schedule
from participants.hospital.schedules.hours import read_span
from tests.faults.errands import App, Notebook
from tests.faults.findings import Book
from tests.faults.lives import Disk, Life
from tests.faults.virtual_time import SiteClock
from tests.faults.weather import Net, Wire
from uhi.booking import BookingStore, ConsultationProvider, Doctor, Facility, MemoryBookings, Speciality
from uhi.booking.consumer import Bookings
from uhi.booking.quotes import consultation_quote
from uhi.booking.states import OrderState
from uhi.errors import UhiError
from uhi.exchange.rates import NO_LIMITS
from uhi.exchange.stamps import Stamps
from uhi.handlers import Handler
from uhi.keeping import Keeping
from uhi.network import CONSULTATION_DOMAIN
from uhi.participant import Participant
from uhi.ports import CallLog, Entrance
from uhi.registry.memory import Member, MemoryRegistry
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.signals.local import LocalSignals, LocalWindows
from uhi.signing import UHI, PrivateKey, Signer
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Role, Subscriber, SubscriberKey
from uhi.testing.clock import START
from uhi.world import Identity, World

CITY = "std:011"
REGISTRY = "registry.example"
GATEWAY = "gateway.example"
HOSPITALS = ("city.example", "lake.example", "hill.example")
APPS = ("first-app.example", "second-app.example")
_YEAR = 365 * 86_400.0
_REASONS = ("DOCTOR_UNAVAILABLE", "FACILITY_CLOSURE")


@dataclass(eq=False)
class Site:
    """One machine. `life` is what runs on it now, None while it is down; `lives` counts them."""

    me: Subscriber
    signer: Signer
    network: Network
    clock: SiteClock = field(default_factory=SiteClock)
    life: Life | None = None
    lives: int = 0
    program: Any = None

    def __post_init__(self) -> None:
        self.storage = MemoryStorage(self.clock)

    @property
    def waiting(self) -> int:
        """How much its program has under way."""
        return self.program.waiting if self.life is not None and self.program is not None else 0

    async def start(self, life: Life) -> Entrance:
        """Begin a life."""
        self.program = self._program(life)
        await self.program.start()
        return self.program.entrance  # type: ignore[no-any-return]

    async def stop(self, seconds: float) -> None:
        """End the life in good order."""
        await self.program.stop(seconds=seconds)

    def world(self, life: Life) -> World:
        """What surrounds the program in one life."""
        book, wire = self.network.book, Wire(self.network.net, life)
        disk: Any = Disk(life, lambda name, *given, **named: book.write(self.me.id, self.storage, name, given, named))
        return World(
            registry=self.registry(wire),
            transport=wire,
            clock=self.clock,
            log=self.network.log,
            rates=NO_LIMITS,
            keeping=Keeping(storage=disk, signals=LocalSignals(), windows=LocalWindows(self.clock)),
        )

    def registry(self, wire: Wire) -> NetworkRegistry:
        """The network's registry as this program asks it."""
        scope = LookupScope((CONSULTATION_DOMAIN,), city=CITY)
        access = RegistryAccess(self.network.members_url, Stamps(self.signer), scope)
        return NetworkRegistry(access, transport=wire, clock=self.clock)

    def _program(self, life: Life) -> Any:
        raise NotImplementedError

    def _participant(self, life: Life) -> Participant:
        gateway = self.network.sites[GATEWAY].me
        identity = Identity(self.me, self.signer, gateway, CONSULTATION_DOMAIN, CITY)
        return Participant(identity, world=self.world(life))

    def _watched(self, participant: Participant, life: Life) -> None:
        """Write down what each handler hears."""
        handlers = participant.handlers._by_leg
        for name, handler in handlers.items():
            handlers[name] = replace(handler, function=self._hearing(handler, life))

    def _hearing(self, handler: Handler, life: Life) -> Any:
        async def hear(message: Any) -> Any:
            answer = await handler.function(message)
            self.network.book.heard(self.me.id, handler.leg.name, message.digest, life.number)
            return answer

        return hear


class RegistrySite(Site):
    """The network's registry: it keeps no promises."""

    async def start(self, life: Life) -> Entrance:
        return lookup_entrance(self.me.id, self.network.members, clock=self.clock, log=self.network.log)

    async def stop(self, seconds: float) -> None:
        """There is nothing to wait for."""


class GatewaySite(Site):
    """The gateway."""

    def _program(self, life: Life) -> Gateway:
        world = self.world(life)
        made = Gateway(Identity(self.me, self.signer), world=world, directory=world.registry)  # type: ignore[arg-type]
        made._deliveries.way_out.random.seed(f"{self.me.id} {life.number}")
        return made


class AppSite(Site):
    """A consumer's app with its patients' errands. What they have reached is in a database of the app's own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        plan = self.network.plan
        if self.me.id not in APPS[: plan.apps]:
            plan = replace(plan, errands=0)
        self.notebook = Notebook(self.me.id, Random(f"{self.network.seed} {self.me.id}"), plan)

    def _program(self, life: Life) -> Participant:
        participant = self._participant(life)
        bookings = Bookings(participant)
        participant.include(bookings.handlers)
        self._watched(participant, life)
        participant._office.deliveries.way_out.random.seed(f"{self.me.id} {life.number}")
        self.app = App(self.notebook, bookings, self.clock)
        return participant

    async def start(self, life: Life) -> Entrance:
        entrance = await super().start(life)
        for work in self.app.at_once():
            life.spawn(work)
        return entrance


class HospitalSite(Site):
    """A hospital. Its own system dies with it and takes over what orders stand for, or, where it `has_own_system`,
    lives on elsewhere."""

    has_own_system = False

    def __post_init__(self) -> None:
        super().__post_init__()
        # What announces an order is stored with it in one step, whatever happens around.
        self.orders = MemoryBookings(outbox=self.storage)
        self.data = _hospital(self.me.id)
        self.system = DemoHospital(self.data, clock=self.clock)

    def _program(self, life: Life) -> Participant:
        participant = self._participant(life)
        book = self.network.book
        orders: Any = Disk(life, lambda name, *given, **named: book.write(self.me.id, self.orders, name, given, named))
        self.provider = self._provider(participant, orders)
        self._watched(participant, life)
        participant._office.deliveries.way_out.random.seed(f"{self.me.id} {life.number}")
        return participant

    async def start(self, life: Life) -> Entrance:
        entrance = await super().start(life)
        life.spawn(self._call_off(Random(f"{self.network.seed} {self.me.id} {life.number}")))
        return entrance

    def _provider(self, participant: Participant, orders: BookingStore) -> ConsultationProvider:
        if not self.has_own_system:
            return hospital_app(participant, self.data, store=orders)
        provider = ConsultationProvider(self.system, speaker=participant, store=orders)
        participant.include(provider.handlers)
        participant.meanwhile(provider.watch_holds)
        return provider

    async def _call_off(self, random: Random) -> None:
        """A doctor falls ill now and then."""
        while True:
            await self.clock.sleep(random.uniform(60.0, 240.0))
            booked = [order for order in self.orders._orders.values() if order.state is OrderState.CONFIRMED]
            if self.network.is_calm:
                return
            if booked:
                order = random.choice(booked)
                try:
                    await self.provider.cancelled(order.appointment_id, random.choice(_REASONS))
                except UhiError:
                    continue


class HillSite(HospitalSite):
    """A hospital whose own system outlives the program before it."""

    has_own_system = True


@dataclass(eq=False)
class Network:
    """What the programs have in common."""

    seed: str
    plan: Any
    net: Net
    book: Book
    log: CallLog
    members: MemoryRegistry = field(default_factory=MemoryRegistry)
    sites: dict[str, Site] = field(default_factory=dict)
    is_calm: bool = False

    @property
    def members_url(self) -> str:
        """Where the registry is asked."""
        return f"https://{REGISTRY}/uhi"

    def found(self, name: str, role: Role, kind: Callable[..., Site]) -> None:
        """Set a machine up, and put it into the registry."""
        domains = ("*",) if role in (Role.GATEWAY, Role.REGISTRY) else (CONSULTATION_DOMAIN,)
        me = Subscriber(name, role, f"https://{name}/uhi", domains=domains, cities=(CITY,))
        signer = Signer(name, "k1", PrivateKey.new(), UHI)
        if role is not Role.REGISTRY:
            key = SubscriberKey("k1", signer.key.public, UHI, START - _YEAR, START + _YEAR)
            self.members.replace(Member(me, (key,)))
        self.sites[name] = kind(me, signer, self)


def found_all(network: Network) -> None:
    """One registry, one gateway, three hospitals, two apps."""
    network.found(REGISTRY, Role.REGISTRY, RegistrySite)
    network.found(GATEWAY, Role.GATEWAY, GatewaySite)
    for name in HOSPITALS:
        network.found(name, Role.PROVIDER, HillSite if name == HOSPITALS[-1] else HospitalSite)
    for name in APPS:
        network.found(name, Role.CONSUMER, AppSite)


def _hospital(name: str) -> HospitalData:
    place = name.partition(".")[0]
    facility = Facility(id=place, name=f"{place.title()} Hospital", helpline_number="1800000001")
    hours = tuple((read_span("10:00-11:00"),) for _ in range(7))
    practices = []
    for number, price in enumerate(("500", "0")):
        quote = consultation_quote(Decimal(price))
        doctor = Doctor(
            id=f"doctor-{number}.{place}@hpr.ndhm",
            name=f"Dr. {place.title()} {number}",
            facility=facility,
            price=quote.total,
            speciality=Speciality("CARDIOLOGY", "Cardiology"),
        )
        practices.append(Practice(doctor, Schedule(hours=hours, slot_minutes=20), quote))
    return HospitalData(facility.name, tuple(practices), horizon=timedelta(days=30))
