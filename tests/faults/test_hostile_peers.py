"""Peers over real sockets that swallow, drip, babble, redirect or flood: nobody else may notice."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.network import letters
from tests.network.letters import hand_in
from tests.network.messages import CATALOGUE, SEARCH_ALL
from uhi.actions import SEARCH
from uhi.ports import Direction
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network, Options

pytestmark = pytest.mark.faults

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACK = b'{"message":{"ack":{"status":"ACK"}},"error":{}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def says(raw: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return behave


async def swallows(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads for ever and says nothing."""
    while await reader.read(65_536):
        pass


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes at once, without a word."""
    writer.transport.abort()


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers without an end."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


def body(raw: bytes, extra: bytes = b"") -> bytes:
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


BEHAVIOURS: dict[str, Behaviour] = {
    "swallows": swallows,
    "hangs-up": hangs_up,
    "floods": floods,
    "babbles": says(b"\x00\xff" * 4_000 + b"\r\n\r\n"),
    "says-html": says(body(b"<html>OK</html>")),
    "says-nothing": says(body(b"")),
    "deep": says(body(b"[" * 60_000)),
    "gzipped": says(body(gzip.compress(ACK), b"Content-Encoding: gzip\r\n")),
    "promises-more": says(HEAD + b"Content-Length: 100000\r\n\r\n{"),
    "redirects": says(b"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
    "long-headers": says(HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n"),
    "evil-error": says(body(json.dumps({"error": {"type": "x\u001b[2J" * 999, "code": ["a"]}}).encode())),
}


@asynccontextmanager
async def listening(behave: Behaviour) -> AsyncIterator[str]:
    """A peer on a free port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def join(network: Network, name: str, url: str) -> None:
    """Register a provider that lives at this address."""
    network.register(Subscriber(name, Role.PROVIDER, url, domains=("nic2004:85111",)))


async def offers(request: object) -> object:
    return CATALOGUE


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """A network over HTTP with one honest hospital."""
    async with Network(Options(sockets=True)) as running:
        (await running.provider("honest.example")).on(SEARCH)(offers)
        yield running


@pytest.mark.parametrize("behave", BEHAVIOURS.values(), ids=BEHAVIOURS)
async def test_search_is_answered_by_the_honest_though_one_peer_misbehaves(network, behave):
    """Architecture 1.6: a bad peer delays and breaks nobody; what it said is never an ACK."""
    async with listening(behave) as url:
        join(network, "hostile.example", url)
        app = await network.consumer()

        answer = await app.ask(SEARCH, SEARCH_ALL, wait=20)

        assert answer.sender.id == "honest.example"
        to_it = [hop for hop in network.calls if hop.receiver == "hostile.example"]
        assert "ACK" not in {hop.outcome for hop in to_it}


@pytest.mark.parametrize("name", ["says-html", "says-nothing", "deep", "redirects", "evil-error"])
async def test_answer_that_is_no_ack_ends_the_delivery(network, name, caplog):
    """Reliability rules: recorded, not retried, and nothing of what it said in the log."""
    async with listening(BEHAVIOURS[name]) as url:
        join(network, "hostile.example", url)
        app = await network.consumer()
        await app.ask(SEARCH, SEARCH_ALL, wait=20)
        await network.settle()

    [hop] = [hop for hop in network.calls if hop.receiver == "hostile.example"]
    assert hop.attempt == 1
    assert len(hop.outcome) <= 64
    assert "search was not delivered to hostile.example" in caplog.text
    assert "\x1b" not in caplog.text


async def test_ten_black_holes_cost_ten_honest_hospitals_nothing(network):
    """Reliability rules: bulkheads; every honest one is asked and answers while the others hang."""
    async with listening(swallows) as url:
        for number in range(10):
            join(network, f"hole-{number}.example", url)
            (await network.provider(f"good-{number}.example")).on(SEARCH)(offers)
        app = await network.consumer()

        answers = app.ask(SEARCH, SEARCH_ALL, wait=30)
        senders = {(await anext(stream)).sender.id for stream in [aiter(answers)] for _ in range(11)}

    assert len(senders) == 11
    assert not {name for name in senders if name.startswith("hole")}


async def test_consumer_that_swallows_its_answers_costs_the_others_nothing(network):
    """Reliability rules: eight posts at most wait for it at the gateway; another consumer is answered meanwhile."""
    async with listening(swallows) as url:
        hole = Subscriber("hole.example", Role.CONSUMER, url, domains=("nic2004:85111",))
        signer = network.register(hole)
        for number in range(30):
            context = letters.context("search", hole, transaction_id=f"t-{number}", message_id=f"m-{number}")
            letter = letters.letter("search", context).signed(signer, network.clock.now())
            assert (await hand_in(letter, network.gateway.entrance)).is_ack
        app = await network.consumer()

        answer = await app.ask(SEARCH, SEARCH_ALL, wait=30)

    assert answer.sender.id == "honest.example"


async def test_flood_of_strangers_changes_nothing(network):
    """Threat T21: made-up keys cost refusals; beyond the budget nobody is asked, and told to come again."""
    app = await network.consumer()
    await app.ask(SEARCH, SEARCH_ALL, wait=20)
    honest = network.signers["app.example"]
    letter = letters.letter("search", letters.context("search", app.identity.me))
    strangers = [letter.signed(_stranger(honest, number), network.clock.now()) for number in range(300)]

    answers = await asyncio.gather(*(hand_in(each, network.gateway.entrance) for each in strangers))
    good = await app.ask(SEARCH, SEARCH_ALL, wait=20)

    assert {(answer.status, answer.error["code"]) for answer in answers} <= {(401, "UHI-1406"), (503, "UHI-1402")}
    assert good.sender.id == "honest.example"
    lookups = [hop for hop in network.calls if hop.direction is Direction.IN and hop.action == "lookup"]
    assert len(lookups) <= 200


def _stranger(signer: object, number: int) -> object:
    return type(signer)(f"stranger-{number}", signer.key_id, signer.key, signer.profile)
