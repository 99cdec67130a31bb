"""A whole network on one event loop whose time is not real: programs that crash and start again, a network in bad
weather, clocks that step; the same seed takes the same course.

`python -m tests.faults.simulation SEED` prints what happened and what was found. Below: `sites`, `lives`, `weather`,
`findings`. Source: reliability rules, test plan P7.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from random import Random
from unittest.mock import patch

from tests.faults import virtual_time
from tests.faults.findings import Book, Check
from tests.faults.lives import Life, Storm, tasks_have_lives
from tests.faults.sites import APPS, GATEWAY, HOSPITALS, AppSite, Network, Site, found_all
from tests.faults.weather import Net, Weather
from uhi.booking import Booking
from uhi.errors import SetupError
from uhi.exchange import row_ids
from uhi.ports import Hop

LONGEST = 6 * 3_600.0
"""Seconds that a storm lasts at most."""
PATIENCE = 6 * 3_600.0
"""Seconds after it within which everything must have come to its end."""
_LOOK = 5.0
_MAY_FAIL = (
    "lapsed holds were not given back",
    "a lapsed hold was not given back",
    "a hold that no order has was not given back",
    "PINs of days that are over were not forgotten",
    "a message of an earlier life is given up",
)
"""What is logged as an error, and done again a minute later, or was of no use any more; see `findings`."""


@dataclass(frozen=True)
class Plan:
    """The size of a run: errands of each app, and which share of them lets a hold lapse, asks for the status, cancels;
    seconds between crashes from outside, and between steps of clocks.

    Only so many `apps` have errands. `crash_at` makes it a calm run with one crash, before or after one of all writes
    and posts, by its number.
    """

    errands: int = 25
    apps: int = 2
    shares: tuple[float, float, float] = (0.15, 0.4, 0.3)
    crash_every: float = 60.0
    step_every: float = 30.0
    crash_at: int | None = None

    @property
    def is_calm(self) -> bool:
        """Whether nothing else goes wrong."""
        return self.crash_at is not None


@dataclass
class Outcome:
    """How a run ended."""

    seed: str
    findings: list[str]
    trace: list[str]
    transactions: int
    steps: int
    counts: Counter[str]
    seconds: float

    def __str__(self) -> str:
        failures = ", ".join(f"{times} {what}" for what, times in sorted(self.counts.items()))
        speed = f"{self.transactions} transactions in {self.seconds:.1f} s"
        return f"seed {self.seed}: {speed}, {len(self.findings)} findings, course {self.hash}\n{failures}"

    @property
    def hash(self) -> str:
        """What tells two courses apart."""
        return blake2b("\n".join(self.trace).encode(), digest_size=16).hexdigest()


class _Lines(logging.Handler):
    """Remembers the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith(_MAY_FAIL):
            self.lines.append(f"logged: {record.name}: {record.getMessage()}")


@dataclass
class _Hops:
    """The call log of every program: lines of the trace."""

    simulation: Simulation

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        self.simulation.tell(
            hop.sender if hop.direction.value == "out" else hop.receiver,
            f"{hop.direction.value} {hop.sender} {hop.receiver} {hop.action} {hop.transaction_id} {hop.message_id}"
            f" {hop.outcome} {hop.status} {hop.attempt}",
        )


class Simulation:
    """One run."""

    def __init__(self, seed: str, plan: Plan) -> None:
        self.seed = seed
        self.plan = plan
        self.random = Random(f"{seed} crashes")
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.storm = Storm(Random(f"{seed} steps"), self.crash, at=plan.crash_at)
        self.weather = Weather(Random(f"{seed} weather"), is_fine=plan.is_calm)
        self.book = Book(self.tell)
        self.network = Network(seed, plan, Net(self.weather, self.book.answered), self.book, _Hops(self))
        found_all(self.network)

    def tell(self, site: str, what: str) -> None:
        """One line of the trace."""
        self.trace.append(f"{asyncio.get_running_loop().time():.6f} {site} {what}")

    def crash(self, life: Life, where: str) -> None:
        """A life ends here and now; the machine starts again in a while."""
        if life.is_over:
            return
        self.counts[where] += 1
        self._down(self.network.sites[life.site], life, f"crashes {where}")

    async def run(self) -> list[str]:
        """Let it all happen; returns what is wrong."""
        tasks_have_lives(asyncio.get_running_loop())
        for site in self.network.sites.values():
            await self._boot(site)
        works = () if self.plan.is_calm else (self._crashes, self._clocks)
        trouble = [asyncio.create_task(work()) for work in works]
        await self._until(lambda: all(site.notebook.is_done for site in self._apps()), LONGEST)
        for task in trouble:
            task.cancel()
        self.storm.is_over = self.weather.is_fine = self.network.is_calm = True
        await self._until(self._is_up, PATIENCE)
        wrong = await self._rest()
        wrong += await self._told()
        wrong += await self._rest()
        for site in self.network.sites.values():
            await site.stop(30.0)
            assert site.life is not None
            site.life.end()
        return wrong + Check(self.book, HOSPITALS, GATEWAY).findings()

    async def _boot(self, site: Site) -> None:
        site.lives += 1
        life = site.life = Life(site.me.id, site.lives, self.storm)
        self.tell(site.me.id, f"starts {site.lives}")
        starting = life.spawn(site.start(life))
        await asyncio.wait({starting})
        if starting.cancelled():
            return
        error = starting.exception()
        if isinstance(error, SetupError):
            self._down(site, life, "cannot start")
        elif error is not None:
            raise error
        elif not life.is_over:
            self.network.net.listening[site.me.id] = (starting.result(), life)

    def _down(self, site: Site, life: Life, how: str) -> None:
        self.tell(site.me.id, how)
        life.end()
        site.life = None
        self.network.net.listening.pop(site.me.id, None)
        # A second at least: the same header would be made again.
        after = self.random.choice((1.1, 2.0, self.random.uniform(1.1, 4.0), self.random.uniform(1.1, 30.0)))
        asyncio.get_running_loop().create_task(self._boot_later(site, after), context=Context())

    async def _boot_later(self, site: Site, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._boot(site)

    async def _crashes(self) -> None:
        """Crashes at any time, and now and then a stop in good order."""
        while True:
            await asyncio.sleep(self.random.expovariate(1 / self.plan.crash_every))
            site = self.network.sites[self.random.choice(sorted(self.network.sites))]
            life = site.life
            if life is None or life.is_over or site.me.id not in self.network.net.listening:
                continue
            if self.random.random() < 0.2:
                asyncio.get_running_loop().create_task(self._stop(site, life), context=Context())
            else:
                self.crash(life, "at any time")

    async def _stop(self, site: Site, life: Life) -> None:
        stopping = life.spawn(site.stop(self.random.uniform(0.0, 10.0)))
        await asyncio.wait({stopping})
        if not stopping.cancelled():
            stopping.result()
        if not life.is_over:
            self.counts["stops"] += 1
            self._down(site, life, "stops")

    async def _clocks(self) -> None:
        """Clocks step, forwards and backwards, within what signatures bear."""
        while True:
            await asyncio.sleep(self.random.expovariate(1 / self.plan.step_every))
            site = self.network.sites[self.random.choice(sorted(self.network.sites))]
            site.clock.off = self.random.uniform(-2.0, 2.0)
            self.counts["clock steps"] += 1

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> None:
        looks = int(seconds / _LOOK)
        while looks and not is_so():
            await asyncio.sleep(_LOOK)
            looks -= 1

    def _is_up(self) -> bool:
        return all(name in self.network.net.listening for name in self.network.sites)

    def _is_idle(self) -> bool:
        return not any(site.waiting for site in self.network.sites.values()) and not self.network.net.on_the_way

    async def _rest(self) -> list[str]:
        """Wait until nothing is under way; what is left after that is wrong."""
        await self._until(self._is_idle, PATIENCE)
        wrong = []
        for site in self.network.sites.values():
            journal, outbox = site.storage._journal, site.storage._outbox
            wrong += [f"{site.me.id} has {row} unfinished" for row in journal._unfinished]
            wrong += [f"{site.me.id} still has {name}" for name in (*outbox._ready, *outbox._leased)]
            if site.waiting:
                wrong.append(f"{site.me.id} does not come to rest")
        return wrong

    async def _told(self) -> list[str]:
        """Every patient asks how things stand, and is told what the hospital has, PIN included."""
        wrong = []
        for site in self._apps():
            assert site.life is not None
            told = await site.life.spawn(site.app.ask_all())
            for errand in site.notebook.errands:
                for offer in errand.offers:
                    wrong += self._compare(offer.thread.provider_id, offer.order_id, told[offer.order_id])
        return wrong

    def _compare(self, hospital: str, order_id: str, told: Booking | str) -> list[str]:
        order = self.book.entries[hospital].orders[order_id]
        kept = order.state.value if order.state.travels else "30010"
        pin = order.pin.token if order.pin else ""
        if isinstance(told, str):
            return [] if told == kept else [f"{hospital} {order_id} is {kept}, a patient was told {told}"]
        if (told.state.value, told.pin) != (kept, pin or told.pin):
            return [f"{hospital} {order_id} is {kept}, a patient was told {told.state}"]
        return []

    def _apps(self) -> list[AppSite]:
        return [site for site in self.network.sites.values() if isinstance(site, AppSite)]


@contextmanager
def _by_seed(seed: str) -> Iterator[None]:
    """Every id, key and PIN comes from the seed, and every row's number from nought."""
    draw = Random(f"{seed} ids").randbytes
    with (
        patch("os.urandom", draw),
        patch("random._urandom", draw),
        patch.object(row_ids, "_LATEST", [0]),
        patch.object(row_ids, "_MADE", count()),
        patch.object(row_ids, "_RANDOM", Random(f"{seed} rows")),
    ):
        yield


@contextmanager
def _logged() -> Iterator[_Lines]:
    handler = _Lines()
    names = ("uhi", "gateway", "participants", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
    try:
        yield handler
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


def simulate(seed: str, plan: Plan | None = None) -> Outcome:
    """Run once, from the beginning to the end."""
    started = time.perf_counter()
    gc.disable()  # when an abandoned generator is closed must not depend on how much memory others use
    try:
        with _by_seed(seed), _logged() as logged:
            simulation = Simulation(seed, plan or Plan())
            wrong = virtual_time.run(simulation.run())
    finally:
        gc.enable()
    return Outcome(
        seed=seed,
        findings=wrong + logged.lines,
        trace=simulation.trace,
        transactions=len(simulation.book.transactions(APPS)),
        steps=simulation.storm.steps,
        counts=simulation.counts,
        seconds=time.perf_counter() - started,
    )


def main() -> None:
    """One seed, in full."""
    outcome = simulate(sys.argv[1], Plan(*map(int, sys.argv[2:3])))
    print("\n".join([*outcome.trace, *outcome.findings, str(outcome)]))


if __name__ == "__main__":
    main()
