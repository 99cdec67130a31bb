"""Whatever two processes do with appointments and schedules, in whatever order: streams, rows and claims agree."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from participants.hospital.schedules import changing
from participants.hospital.schedules.hours import read_span
from participants.hospital.schedules.records import Leave
from participants.hospital.schedules.rows import week_of
from participants.hospital.schedules.week import Rule, Times, Week
from participants.hospital.schedules.writing import Writing
from tests.booking.ward import MEENA, RAVI, THREAD, Front, found
from tests.participants.hospital.schedules.clinic import ASHA, CITY_PRACTICES, LAKE, NAIR, PROVIDER, Clinic, practice
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.offers import Offer, read_offer, write_cancel
from uhi.booking.policy import Policy
from uhi.booking.rebuilding import check, rebuild
from uhi.errors import PinInvalid, Refusal, SlotUnavailable, StateConflict
from uhi.messages import OnInit, Order
from uhi.storage.sealing import Sealing
from uhi.storage.sql.storage import SqlStorage

STEPS = (
    *("hold", "hold", "hold", "confirm", "confirm", "confirm", "confirm", "start", "complete", "pin", "override"),
    *("cancel", "call_off", "move", "no_show", "report", "time_passes", "sweep", "change_week", "take_leave"),
)
LENGTHS, WHY = (60, 900, 1_000, 5_000, 20_000), "DOCTOR_UNAVAILABLE"
ROWS = "SELECT id, state, version, hold_id, appointment_id, slot_id, confirmed_at, updated_at FROM orders ORDER BY id"
CLAIMS = "SELECT order_id, slot_id, seat, practitioner_id, state FROM hold WHERE state <> 'EXPIRED' ORDER BY order_id"
RUIN = ("UPDATE orders SET state = 'FAILED', slot_id = 'x', version = version + 1", "UPDATE hold SET state = 'EXPIRED'")


@dataclass
class Walk:
    """Steps by chance. What the rules refuse is refused; what they let through has to agree."""

    clinics: tuple[Clinic, Clinic]
    chance: random.Random
    storage: SqlStorage
    offers: list[Offer] = field(default_factory=list)
    taken: int = 0

    @property
    def clinic(self) -> Clinic:
        """Either process."""
        return self.chance.choice(self.clinics)

    @property
    def front(self) -> Front:
        """Before either process."""
        return self.clinic.front

    async def go(self, steps: int) -> None:
        """Take so many, and see on the way that all agrees."""
        for number in range(steps):
            await self.step()
            assert number % 15 or await self.wrong() == []
        await self.sweep()

    async def step(self) -> None:
        """Take one."""
        name = self.chance.choice(STEPS)
        if self.offers or name in {"hold", "time_passes", "sweep", "change_week", "take_leave"}:
            try:
                await getattr(self, name)()
            except (StateConflict, SlotUnavailable, PinInvalid, Refusal):
                return

    async def hold(self) -> None:
        slots = await self.clinic.slots(self.chance.choice((ASHA, NAIR)), days=2)
        if slots:
            await self._init(self.chance.choice(slots[:6]))

    async def confirm(self) -> None:
        await self.front.confirm(self.chance.choice(self.offers[-5:]))

    async def cancel(self) -> None:
        offer = self.chance.choice(self.offers)
        await self.front.attending.cancel(write_cancel(offer.order_id, reason="PATIENT_OTHER"), offer.thread)

    async def report(self) -> None:
        offer = self.chance.choice(self.offers)
        await self.front.attending.report(Order(id=offer.order_id), offer.thread)

    async def call_off(self) -> None:
        clinic, order = self.clinic, await self._order()
        async with clinic.hospital.calling_off(order.appointment_id):
            await clinic.front.provider.cancelled(order.appointment_id, WHY)

    async def move(self) -> None:
        clinic, order = self.clinic, await self._order()
        slot = self.chance.choice(await clinic.slots(order.slot.doctor, days=2) or [order.slot])
        async with clinic.hospital.calling_off(order.appointment_id):
            await clinic.front.provider.move(order.appointment_id, WHY, slot.id)
        await self._init(slot)

    async def pin(self) -> None:
        order = await self._order()
        digits = order.pin.token if order.pin and self.chance.random() < 0.5 else "none"
        await self.front.provider.verify_pin(order.appointment_id, digits)

    async def override(self) -> None:
        reason = self.chance.choice(("OVERRIDE_EUA_OUTAGE", "OVERRIDE_EMERGENCY_CONSULTATION"))
        await self.front.provider.override_pin((await self._order()).appointment_id, reason)

    async def start(self) -> None:
        await self.front.provider.started((await self._order()).appointment_id)

    async def complete(self) -> None:
        await self.front.provider.completed((await self._order()).appointment_id, care_context_id="c")

    async def no_show(self) -> None:
        await self.front.provider.no_show((await self._order()).appointment_id)

    async def sweep(self) -> None:
        await self.front.holding.release_lapsed()

    async def time_passes(self) -> None:
        self.clinics[0].clock.time += self.chance.choice(LENGTHS)

    async def change_week(self) -> None:
        clinic, hours = self.clinics[0], self.chance.choice(("10:00-12:00", "09:50-12:20", "22:00-24:00"))
        rules = tuple(Rule(weekday=day, hours=read_span(hours)) for day in range(7))
        week = Week(rules=rules, slot_minutes=self.chance.choice((15, 20, 30)), seats=self.chance.choice((1, 2, 3)))
        practice_id = self.chance.choice(list(clinic.practices.values()))

        def work(writing: Writing) -> None:
            before = week_of(writing.connection, practice_id)
            changing.put_week(writing, practice_id, week, seen=before.version if before else 0)

        await clinic.change(work)

    async def take_leave(self) -> None:
        clinic = self.clinics[0]
        who, start = clinic.directory.snapshot.practitioner_ids[ASHA.id], int(clinic.clock.now())
        times = Times(start, start + self.chance.choice(LENGTHS))
        leave = Leave(id="", organisation_id=clinic.organisations[0], practitioner_id=who, times=times)
        await clinic.change(lambda writing: changing.add_leave(writing, leave))

    async def wrong(self) -> list[str]:
        """What does not agree; letters go nowhere here."""
        found = await check(self.storage, PROVIDER, self.clinics[0].clock.now())
        return [fault for fault in found if fault.startswith(("d ", "replay "))]

    async def ruin(self) -> None:
        """Spoil what is made from the streams."""
        for statement in RUIN:
            await self.storage.database.write(lambda each, query=statement: each.execute(text(query)).rowcount)

    async def rows(self) -> list[list[tuple[object, ...]]]:
        """What is made from the streams."""
        database = self.storage.database
        return [
            [tuple(row) for row in await database.read(lambda each, query=query: each.execute(text(query)).all())]
            for query in (ROWS, CLAIMS)
        ]

    async def _init(self, slot: Slot) -> None:
        self.taken += 1
        thread, patient = replace(THREAD, transaction_id=f"t-{self.taken}"), self.chance.choice((RAVI, MEENA))
        answer = await self.front.init(slot, patient, thread)
        if isinstance(answer, OnInit):
            self.offers.append(read_offer(answer.order, found(slot), patient, until=slot.start, thread=thread))

    async def _order(self) -> KeptOrder:
        order = await self.front.store.get(self.chance.choice(self.offers).order_id)
        if order is None or not order.appointment_id:
            raise StateConflict("nothing is booked by it")
        return order


async def begun(one: Clinic, other: Clinic, sealing: Sealing, seed: int) -> Walk:
    """Two processes that know the same practices; Dr. Verma practises in both organisations."""
    await one.load("City Hospital", CITY_PRACTICES)
    await one.load("Lake Clinic", [practice(replace(ASHA, facility=LAKE), "10:30-12:30", minutes=20)])
    await other.directory.refresh()
    limits = HoldLimits(per_patient=9, per_consumer=None, day_share=None)
    for each in (one, other):
        policy = Policy(holds=limits, offer_hold=timedelta(hours=1))
        each.front = Front(policy=policy, store=each.front.store, ward=each.hospital, clock=one.clock)
    return Walk((one, other), random.Random(seed), SqlStorage(one.database, sealing, owner="process"))


@pytest.mark.parametrize("seed", range(3))
async def test_streams_rows_and_claims_agree_whatever_happens(database_url, seed):
    """Issue 5: projections that can be rebuilt and checked, no slot sold twice, a change of hours loses nothing."""
    sealing = Sealing.for_development()
    async with (
        Clinic.open(database_url, sealing=sealing) as one,
        Clinic.open(database_url, clock=one.clock, sealing=sealing) as other,
    ):
        walk = await begun(one, other, sealing, seed)
        await walk.go(150)
        made, before = await rebuild(walk.storage, PROVIDER), await walk.rows()
        await walk.ruin()
        done = await rebuild(walk.storage, PROVIDER)

        assert (made.rows_differed, made.claims_differed, made.conflicts) == (0, 0, ())
        assert (done.orders, done.conflicts) == (len(before[0]), ())
        assert await walk.rows() == before
        assert await walk.wrong() == []
