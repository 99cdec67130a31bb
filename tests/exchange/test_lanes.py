"""Bulkheads: who gets a place, in which order, and that none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

import pytest

from uhi.exchange.breakers import PER_DESTINATION
from uhi.exchange.lanes import FOR_DOUBTFUL, IN_ALL, Lanes


class Traffic:
    """Posts through lanes that last until they are told to end."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.under_way: list[str] = []
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def post(self, name: str, destination: str, priority: int = 0) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.ensure_future(self._go(name, destination, priority))
        await settled()

    async def _go(self, name: str, destination: str, priority: int) -> None:
        async with self.lanes.to(destination, priority):
            self.under_way.append(name)
            self.begun.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.under_way.remove(name)

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await settled()

    async def cancel(self, *names: str) -> None:
        for name in names:
            self._tasks[name].cancel()
        await settled()

    async def end_all(self) -> None:
        for end in self._ends.values():
            end.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def is_empty(lanes: Lanes) -> bool:
    return (lanes._lanes, lanes._busy, lanes._doubtful) == ({}, 0, 0)


async def test_lane_lets_eight_through_at_a_time():
    """Reliability rules: at most eight posts under way to one peer, and the others' lanes are free."""
    traffic = Traffic(Lanes())
    for number in range(30):
        await traffic.post(f"slow {number}", "slow")

    await traffic.post("quick", "quick")

    assert len(traffic.under_way) == PER_DESTINATION + 1
    assert traffic.under_way[-1] == "quick"
    await traffic.end_all()
    assert len(traffic.begun) == 31
    assert is_empty(traffic.lanes)


async def test_all_lanes_together_have_so_many_places():
    """Reliability rules: at most 256 in all."""
    traffic = Traffic(Lanes())

    for number in range(IN_ALL + 10):
        await traffic.post(f"{number}", f"clinic {number}")

    assert len(traffic.under_way) == IN_ALL
    await traffic.end("0")
    assert traffic.under_way[-1] == str(IN_ALL)
    await traffic.end_all()


async def test_order_goes_before_searches_that_wait_for_the_same_peer():
    """Reliability rules, priority: within one the first come goes first."""
    traffic = Traffic(Lanes())
    for number in range(PER_DESTINATION):
        await traffic.post(f"{number}", "clinic", 3)
    for name, priority in [("search", 3), ("offer", 2), ("order", 0), ("later order", 0)]:
        await traffic.post(name, "clinic", priority)

    for number in range(4):
        await traffic.end(f"{number}")

    assert traffic.begun[PER_DESTINATION:] == ["order", "later order", "offer", "search"]
    await traffic.end_all()


async def test_order_goes_before_searches_to_other_peers_where_all_places_are_taken():
    """Reliability rules, priority: also where the shortage is everybody's."""
    traffic = Traffic(Lanes(in_all=2))
    await traffic.post("first", "a", 3)
    await traffic.post("second", "b", 3)
    for name, destination, priority in [("search", "a", 3), ("other search", "c", 3), ("order", "d", 0)]:
        await traffic.post(name, destination, priority)

    await traffic.end("first")
    await traffic.end("order")

    assert traffic.begun == ["first", "second", "order", "search"]
    await traffic.end_all()


async def test_more_urgent_comer_overtakes_in_a_lane_that_has_asked_already():
    """Ours: a lane's turn is that of its most urgent, whoever asked first."""
    traffic = Traffic(Lanes(in_all=1))
    await traffic.post("now", "a")
    for name, destination, priority in [("search", "b", 3), ("offer", "c", 2), ("order", "b", 0)]:
        await traffic.post(name, destination, priority)

    for name in ("now", "order", "offer"):
        await traffic.end(name)

    assert traffic.begun == ["now", "order", "offer", "search"]
    await traffic.end_all()


async def test_doubtful_peers_share_a_few_places():
    """Reliability rules: black holes, however many, keep nobody else waiting."""
    traffic = Traffic(Lanes(lambda destination: 2 if destination.startswith("hole") else PER_DESTINATION))
    for number in range(3 * FOR_DOUBTFUL):
        await traffic.post(f"{number}", f"hole {number // 3}", 0)

    await traffic.post("clinic", "clinic", 3)

    assert len(traffic.under_way) == FOR_DOUBTFUL + 1
    assert sum(name in traffic.under_way for name in ("0", "1", "2")) == 2
    assert "clinic" in traffic.under_way
    await traffic.end_all()
    assert len(traffic.begun) == 3 * FOR_DOUBTFUL + 1
    assert is_empty(traffic.lanes)


async def test_peer_that_recovers_leaves_the_few_places():
    """Ours: its lane asks again when one of its posts has ended."""
    doubtful = {"hole", "clinic"}
    traffic = Traffic(Lanes(lambda destination: 7 if destination in doubtful else PER_DESTINATION, in_all=100))
    traffic.lanes._few = 2
    for name, destination in [("1", "hole"), ("2", "clinic"), ("3", "clinic"), ("4", "clinic")]:
        await traffic.post(name, destination)

    doubtful.remove("clinic")
    await traffic.end("2")

    assert traffic.under_way == ["1", "3", "4"]
    await traffic.end_all()
    assert is_empty(traffic.lanes)


async def test_lane_grows_with_its_places():
    """Reliability rules: no burst when a breaker has shut."""
    places = {"clinic": 1}
    traffic = Traffic(Lanes(lambda destination: places.get(destination, PER_DESTINATION)))
    for number in range(8):
        await traffic.post(f"{number}", "clinic")
    under_way = [len(traffic.under_way)]

    for number, grown in enumerate([2, 4]):
        places["clinic"] = grown
        await traffic.end(f"{number}")
        under_way.append(len(traffic.under_way))

    assert under_way == [1, 2, 4]
    await traffic.end_all()


@pytest.mark.parametrize("order", [("holding", "waiting"), ("waiting", "holding")])
async def test_place_is_free_again_after_a_cancelled_post(order):
    """Ours: a delivery that is given up blocks nobody."""
    traffic = Traffic(Lanes(in_all=1))
    await traffic.post("holding", "clinic")
    await traffic.post("waiting", "clinic")
    await traffic.post("last", "other")

    await traffic.cancel(*order)

    assert traffic.under_way == ["last"]
    await traffic.end_all()
    assert is_empty(traffic.lanes)


async def test_place_given_to_a_post_that_is_cancelled_at_that_moment_goes_on():
    """Ours: a place is never lost between two that end together."""
    traffic = Traffic(Lanes(in_all=1))
    for name in ("holding", "unlucky", "last"):
        await traffic.post(name, name)

    traffic._ends["holding"].set()
    await asyncio.sleep(0)
    await traffic.cancel("unlucky")

    assert traffic.begun == ["holding", "last"]
    await traffic.end_all()
    assert is_empty(traffic.lanes)


@pytest.mark.parametrize("seed", range(20))
async def test_no_place_is_lost_or_given_twice_whatever_happens(seed):
    """Ours: any mixture of posts, ends, cancellations and peers that fail and recover."""
    random = Random(seed)
    most = {name: random.choice([1, 2, 8]) for name in "abcdef"}
    traffic = Traffic(Lanes(most.__getitem__, in_all=6))
    traffic.lanes._few = 3
    steps: list[Callable[[], object]] = [
        lambda: traffic.post(f"{len(traffic._tasks)}", random.choice("abcdef"), random.randrange(4)),
        lambda: traffic.end(random.choice([*traffic._tasks])),
        lambda: traffic.cancel(random.choice([*traffic._tasks])),
    ]
    await traffic.post("0", "a")

    for _ in range(300):
        await random.choices(steps, weights=[5, 4, 1])[0]()
        most[random.choice("abcdef")] = random.choice([1, 2, 8])
        assert len(traffic.under_way) == traffic.lanes._busy <= 6

    await traffic.end_all()
    assert is_empty(traffic.lanes)
    assert len(traffic.lanes._turns) + len(traffic.lanes._doubtful_turns) < 300


async def test_long_shortage_leaves_nothing_behind():
    """Ours: what is remembered is bounded by who waits, not by how many have passed."""
    lanes = Lanes(in_all=1)
    async with AsyncExitStack() as held:
        await held.enter_async_context(lanes.to("busy"))
        waiting = asyncio.ensure_future(_pass(lanes, "patient", 3))
        others = [asyncio.ensure_future(_pass(lanes, f"{number % 7}", 0)) for number in range(1_000)]
        await settled()

    await asyncio.gather(waiting, *others)

    assert (lanes._turns, lanes._doubtful_turns) == ([], [])
    assert is_empty(lanes)


async def _pass(lanes: Lanes, destination: str, priority: int) -> None:
    async with lanes.to(destination, priority):
        await asyncio.sleep(0)
