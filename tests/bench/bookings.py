"""Whole bookings through one hospital: init, on_init, confirm, on_confirm and its audit copy, over HTTP.

The consumer is as cheap as it can be, and signs what it sends; the hospital runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles

from tests.bench.databases import Databases
from tests.bench.hop import start
from tests.bench.peers import Answering, length_of
from tests.bench.program import CONSUMER, DOMAIN
from tests.bench.traffic import Sender
from tests.bench.ward import HOSPITAL, Task, fill
from uhi import strict_json
from uhi.booking.hospital import Slot
from uhi.messages.values import wire_time

SENDERS = 64
PER_SECOND = 100.0
_SETTLE = 120.0
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Booked:
    """What so many bookings took: seconds to each ACK by action, seconds until all was there, and what came."""

    count: int
    elapsed: float
    confirmed: int
    audited: int
    processor: float
    acks: dict[str, list[float]]
    whole: list[float]

    @property
    def per_second(self) -> float:
        """Whole bookings a second."""
        return self.count / self.elapsed

    @property
    def ms_each(self) -> float:
        """Milliseconds of a processor that the hospital's process took for one."""
        return self.processor / self.count * 1e3

    def ms(self, action: str) -> tuple[float, float]:
        """Milliseconds to the ACK: half of them, and 99 of 100, are below."""
        hundredths = quantiles(self.acks[action], n=100)
        return hundredths[49] * 1e3, hundredths[98] * 1e3


@dataclass(slots=True)
class Peers:
    """The consumer and the gateway: ACK everything, wake whoever waits for an answer, count audit copies."""

    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    audited: int = 0
    all_audited: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    def came(self, post: bytes) -> None:
        """A post to one of them."""
        head, _, body = post.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1].startswith(b"/gateway"):
            self.audited += 1
            if self.audited >= self.wanted:
                self.all_audited.set()
            return
        message = json.loads(body)
        waiter = self.waiting.pop(f"{message['context']['action']} {message['context']['transaction_id']}", None)
        if waiter is not None and not waiter.done():
            waiter.set_result(message)

    def expect(self, action: str, transaction_id: str) -> asyncio.Future[Json]:
        """The answer that is to come."""
        waiter = self.waiting[f"{action} {transaction_id}"] = asyncio.get_running_loop().create_future()
        return waiter


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Load:
    """The consumer at work: connections to the hospital, and what it has seen."""

    sender: Sender
    peers: Peers
    lines: asyncio.Queue[Line] = field(default_factory=asyncio.Queue)
    acks: dict[str, list[float]] = field(default_factory=lambda: {"init": [], "confirm": []})
    whole: list[float] = field(default_factory=list)
    confirmed: int = 0

    async def book(self, number: int, slot: Slot) -> None:
        """One whole booking."""
        began, transaction = time.perf_counter(), f"t{number}"
        order = _order(number, slot)
        offered = await self._ask("init", transaction, order)
        kept = _body(offered)
        confirm = order | {name: kept[name] for name in ("id", "quote", "payment", "item")}
        confirm["terms"] = [{**term, "termsState": "AGREED"} for term in kept["terms"]]  # type: ignore[attr-defined]
        confirm["payment"] = {**kept["payment"], "params": {"amount": "500.00"}}  # type: ignore[dict-item]
        answered = _body(await self._ask("confirm", transaction, confirm))
        self.confirmed += answered.get("state") == "CONFIRMED"
        self.whole.append(time.perf_counter() - began)

    async def _ask(self, action: str, transaction: str, order: Json) -> Json:
        answer = self.peers.expect(f"on_{action}", transaction)
        body = strict_json.write(
            {"context": _context(action, transaction, self.sender.url), "message": {"order": order}}
        )
        data = self.sender.post(action, body)
        reader, writer = await self.lines.get()
        started = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_of(head) - len(head))
        self.acks[action].append(time.perf_counter() - started)
        self.lines.put_nowait((reader, writer))
        assert head.startswith(b"HTTP/1.1 200"), body
        return await answer


def _body(message: Json) -> Json:
    order: Json = message["message"]["order"]  # type: ignore[index]
    return order


async def weigh_bookings(where: Databases, name: str, *, count: int, per_second: float | None = PER_SECOND) -> Booked:
    """So many bookings on a database, begun at this pace, or as fast as the senders can; the first fifth warms up."""
    kept = await where.fresh(name)
    free = await fill(kept)
    peers = Peers()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(peers.came), "127.0.0.1", 0, backlog=512)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    load = Load(Sender(CONSUMER, f"{url}/app"), peers)
    process = await _hospital(Task(url, load.sender.public_key, kept.database, kept.body_key))
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await process.stdout.readline())
        for _ in range(SENDERS):
            load.lines.put_nowait(await asyncio.open_connection("127.0.0.1", port))
        await _run(load, free, range(count // 5), per_second)
        load.acks, load.whole, load.confirmed = {"init": [], "confirm": []}, [], 0
        before, began = _processor(process.pid), time.perf_counter()
        await _run(load, free, range(count // 5, count // 5 + count), per_second)
        elapsed = time.perf_counter() - began
        return Booked(
            count,
            elapsed,
            load.confirmed,
            peers.audited - count // 5,
            _processor(process.pid) - before,
            load.acks,
            load.whole,
        )
    finally:
        process.stdin.close()
        kept.groups.update(json.loads(await process.stdout.readline() or "{}"))
        await process.wait()
        server.close()


async def _run(load: Load, free: Iterator[Slot], numbers: range, per_second: float | None) -> None:
    load.peers.wanted += len(numbers)
    load.peers.all_audited.clear()
    gate = asyncio.Semaphore(SENDERS if per_second is None else len(numbers))
    began = asyncio.get_running_loop().time()

    async def one(place: int, number: int, slot: Slot) -> None:
        if per_second is not None:
            await asyncio.sleep(began + place / per_second - asyncio.get_running_loop().time())
        async with gate:
            await load.book(number, slot)

    async with asyncio.timeout(_SETTLE):
        await asyncio.gather(*(one(place, number, next(free)) for place, number in enumerate(numbers)))
        await load.peers.all_audited.wait()


async def _hospital(task: Task) -> asyncio.subprocess.Process:
    return await start("tests.bench.ward", json.dumps(asdict(task)))


def _processor(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def _context(action: str, transaction: str, url: str) -> Json:
    return {
        "domain": DOMAIN,
        "country": "IND",
        "city": "std:011",
        "action": action,
        "core_version": "0.7.1",
        "consumer_id": CONSUMER,
        "consumer_uri": url,
        "provider_id": HOSPITAL,
        "provider_uri": "http://127.0.0.1",
        "transaction_id": transaction,
        "message_id": f"{action}-{transaction}",
        "timestamp": "2026-11-23T00:00:00.000Z",
    }


def _order(number: int, slot: Slot) -> Json:
    address = {"door": "1", "name": "Someone", "locality": "Pune", "city": "Pune", "state": "Maharashtra"}
    return {
        "provider": {"id": slot.doctor.facility.id},
        "item": {
            "id": slot.id,
            "descriptor": {"code": "CONSULTATION", "name": "Consultation"},
            "fulfillment_id": slot.id,
            "price": {"currency": "INR", "value": f"{slot.price:.2f}"},
        },
        "fulfillment": {
            "id": slot.id,
            "type": slot.fulfilment,
            "agent": {"id": slot.doctor.id, "name": slot.doctor.name},
            "start": {"time": {"timestamp": wire_time(slot.start)}},
            "end": {"time": {"timestamp": wire_time(slot.end)}},
            "tags": {"@abdm/gov.in/slot_id": slot.id},
        },
        "billing": {
            "name": "Someone",
            "phone": "9000000000",
            "address": address | {"country": "INDIA", "area_code": "411005"},
        },
        "customer": {"id": f"someone.{number}@sbx", "person": {"gender": "F"}},
        "payment": {"type": "ON-ORDER"},
    }
