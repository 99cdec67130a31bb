"""The gateway under what peers do to it: black holes, a peer that fails and comes back, slow senders."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.network import letters
from tests.network.messages import CATALOGUE
from uhi.actions import SEARCH
from uhi.exchange.breakers import PER_DESTINATION
from uhi.participant import Participant
from uhi.ports import Direction, Hop, Reply, Transport
from uhi.testing import Network

pytestmark = pytest.mark.faults

NUMBERS = count(1)
HOLES = 30


def search(network: Network, app: Participant) -> letters.Letter:
    """A search that was never sent before."""
    number = next(NUMBERS)
    ids = {"transaction_id": f"t-{number}", "message_id": f"m-{number}"}
    context = letters.context("search", app.identity.me, **ids)
    return letters.letter("search", context).signed(network.signers["app.example"], network.clock.now(), life=60)


def out(network: Network, receiver: str) -> list[Hop]:
    """The gateway's posts to somebody."""
    return [hop for hop in network.calls if hop.direction is Direction.OUT and hop.receiver == receiver]


async def offers(request: object) -> object:
    return CATALOGUE


@pytest.mark.case("GW-01")
async def test_thirty_black_holes_among_a_hundred_cost_the_others_nothing():
    """Case GW-01 on the network's clock: ACK at once, seventy delivered within two seconds, the holes left alone."""
    async with Network() as network:
        app = await network.consumer()
        for number in range(100):
            name = f"{'hole' if number < HOLES else 'good'}-{number:02d}.example"
            (await network.provider(name)).on(SEARCH)(offers)
        network.faults.delay(1_000, "search", to="https://hole-", times=-1)
        started = network.clock.now()

        answers = [await letters.hand_in(search(network, app), network.gateway.entrance) for _ in range(6)]
        acknowledged = network.clock.now()
        await network.gateway.idle()

        assert all(answer.is_ack for answer in answers)
        assert acknowledged - started < 0.3
        for number in range(100):
            is_hole = number < HOLES
            hops = out(network, f"{'hole' if is_hole else 'good'}-{number:02d}.example")
            delivered = [hop for hop in hops if hop.outcome == "ACK"]
            assert len(delivered) == (0 if is_hole else 6)
            assert all(hop.at - started < 2 for hop in delivered)
            assert not is_hole or len(hops) <= 5 + PER_DESTINATION
        tripped = {each.destination for each in network.gateway.world.storage._tripped.values()}
        assert len(tripped) == HOLES


@pytest.mark.case("GW-07")
async def test_peer_that_fails_and_comes_back_is_probed_and_not_run_over():
    """Case GW-07: opens after five posts without an answer, one probe at a time, and no burst when it is well."""
    async with Network() as network:
        app = await network.consumer()
        clinic = await network.provider()
        clinic.on(SEARCH)(offers)
        network.faults.drop("search", to=clinic.identity.me.url, times=-1)
        for _ in range(20):
            await letters.hand_in(search(network, app), network.gateway.entrance)
        await network.gateway.idle()
        while_away = len(out(network, "clinic.example"))

        network.faults.heal()
        await network.clock.advance(700)
        network.faults.inner = watched = Watched(network.faults.inner, clinic.identity.me.url)
        for _ in range(20):
            await letters.hand_in(search(network, app), network.gateway.entrance)
        await network.settle()

        assert while_away <= 5 + PER_DESTINATION
        assert out(network, "clinic.example")[-1].outcome == "ACK"
        assert watched.seen[0] == 1
        assert max(watched.seen) <= PER_DESTINATION


@dataclass
class Watched:
    """The way to everybody; `seen` are how many posts to one address were under way when another one began."""

    inner: Transport
    to: str
    under_way: int = 0
    seen: list[int] = field(default_factory=list)

    async def post(self, url: str, **given: object) -> Reply:
        if not url.startswith(self.to):
            return await self.inner.post(url, **given)
        self.under_way += 1
        self.seen.append(self.under_way)
        try:
            return await self.inner.post(url, **given)
        finally:
            self.under_way -= 1
