"""A participant inside somebody else's aiohttp application, and on a port of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from tests.network import letters
from tests.network.letters import post
from tests.network.messages import A_WISH, AN_OFFER
from tests.network.scene import A_THREAD
from uhi.actions import INIT
from uhi.http import serve
from uhi.participant import Participant
from uhi.ports import Inbound
from uhi.registry.memory import Member
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network, Options
from uhi.world import Identity


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """A network over HTTP."""
    async with Network(Options(sockets=True)) as running:
        yield running


def newcomer(network: Network, url: str) -> Participant:
    """A provider whose address somebody else serves."""
    me = Subscriber("clinic.example", Role.PROVIDER, url, domains=("nic2004:85111",))
    signer = network.register(me)
    identity = Identity(me, signer, network.gateway.identity.me, "nic2004:85111", "std:011")
    clinic = Participant(identity, world=network.world(signer))
    clinic.on(INIT)(_offer)
    return clinic


async def _offer(request: object) -> object:
    return AN_OFFER


@asynccontextmanager
async def hospital(network: Network) -> AsyncIterator[tuple[str, Participant]]:
    """A hospital's own application, which has a page of its own and small bodies, with UHI below `/partners/uhi`."""
    clinic = newcomer(network, "https://later.example")
    app = web.Application(client_max_size=10)
    app.router.add_get("/", _page)
    clinic.mount_on(app, prefix="/partners/uhi")
    async with serve(app) as server:
        url = f"{server.url}/partners/uhi"
        [member] = network.members.with_id("clinic.example")
        network.members.replace(Member(replace(member.subscriber, url=url), member.keys))
        yield url, clinic


async def _page(request: web.Request) -> web.Response:
    return web.Response(text="ward plan")


async def test_mounted_participant_takes_part(network):
    """Decision 28: under a prefix of an application that exists already, whose limits are its own."""
    app = await network.consumer()

    async with hospital(network) as (url, _), aiohttp.ClientSession() as session:
        answer = await app.ask(INIT, A_WISH, A_THREAD)
        async with session.get(url.removesuffix("/partners/uhi")) as page:
            assert await page.text() == "ward plan"

    assert answer.message == AN_OFFER


async def test_refusals_of_a_mounted_participant_are_nacks(network):
    """Decision 28: size and type are ours to refuse, whatever the application around us allows."""
    async with hospital(network) as (url, _):
        unsigned = letters.letter("init", {}, {})
        large = unsigned.carrying(b"x" * 262_145)

        encoded = unsigned.with_header("Content-Encoding", "gzip")

        statuses = [(await post(each, url)).status for each in (unsigned, large, encoded)]

    assert statuses == [401, 413, 415]


async def test_mounted_participant_stops_with_its_application(network):
    """Architecture: what was ACKed is ended, and nothing is taken any more."""
    async with hospital(network) as (_, clinic):
        pass

    reply = await clinic.entrance.take(Inbound("init", {}, b""))

    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (503, "UHI-1407")


async def test_participant_serves_on_a_port_of_its_own(network):
    """Architecture 2: `run`, as `serving` for tests; leaving it drains."""
    clinic = newcomer(network, "https://later.example")

    async with clinic.serving() as server:
        answer = await post(letters.letter("init", {}, {}), server.url)

    assert answer.status == 401
    with pytest.raises(aiohttp.ClientError):
        await post(letters.letter("init", {}, {}), server.url)
