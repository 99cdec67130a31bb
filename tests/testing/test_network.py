"""The test network's own promises: who keeps what, when handlers are there, and who is behind an address."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession
from yarl import URL

from tests.network.messages import A_WISH, AN_OFFER
from tests.network.scene import A_THREAD
from tests.stores import Shelves
from uhi.actions import INIT
from uhi.errors import DeliveryError
from uhi.participant import Participant
from uhi.ports import Direction
from uhi.storage.memory import MemoryStorage
from uhi.testing import Network, Options


def _offers(clinic: Participant) -> None:
    @clinic.on(INIT)
    async def offer(request: object) -> object:
        return AN_OFFER


async def test_each_program_keeps_what_it_promised_in_a_storage_of_its_own():
    """Test network: by its id, so that it can be given the same one again."""
    shelves = Shelves()

    async with Network(Options(keeping=shelves)) as network:
        clinic = await network.provider()
        assert set(shelves.stores) == {"gateway.example", "clinic.example"}
        assert clinic.world.storage is shelves.stores["clinic.example"]


async def test_program_without_a_storage_of_its_own_keeps_all_in_memory():
    """Test network: nothing to set up for the usual test."""
    async with Network() as network:
        clinic, other = await network.provider(), await network.provider("other.example")

        assert isinstance(clinic.world.storage, MemoryStorage)
        assert clinic.world.storage is not other.world.storage


async def test_handlers_of_prepare_are_there_before_the_first_message():
    """Test network: what an earlier life has left is taken up at the start, and needs its handlers by then."""
    async with Network() as network:
        await network.provider(prepare=_offers)
        app = await network.consumer()

        assert (await app.ask(INIT, A_WISH, A_THREAD)).message == AN_OFFER


async def test_programs_on_ports_tell_their_health():
    """Ours: the pages of a program in production are there while one develops too."""
    async with Network(Options(sockets=True)) as network, ClientSession() as client:
        clinic = await network.provider()
        for url in (network.registry_url, network.gateway.identity.me.url, clinic.identity.me.url):
            origin = URL(url).origin()
            for path in ("healthz", "readyz", "version"):
                async with client.get(origin / path) as answer:
                    assert answer.status == 200, await answer.text()

        await clinic.stop(seconds=0)
        async with client.get(URL(clinic.identity.me.url).origin() / "readyz") as answer:
            assert answer.status == 503


async def test_something_else_may_be_put_behind_an_address():
    """Test network: as a load balancer sends messages to another process."""
    async with Network() as network:
        await network.provider(prepare=_offers)
        other = await network.provider("other.example")
        app = await network.consumer()
        network.put_behind("clinic.example", other.entrance)

        with pytest.raises(DeliveryError, match="NET_NOT_IMPLEMENTED"):
            await app.ask(INIT, A_WISH, A_THREAD)

    assert {hop.receiver for hop in network.calls if hop.action == "init" and hop.direction is Direction.IN} == {
        other.subscriber_id
    }
