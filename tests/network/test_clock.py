"""A program whose clock is wrong: it notices from the registry's answers, signs nothing, and goes on by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import pytest

from tests.network.messages import A_WISH, AN_OFFER, STARTED
from tests.network.scene import A_THREAD, Scene
from uhi.actions import INIT, UPDATED
from uhi.errors import DeliveryError, NoAnswer
from uhi.ports import Clock
from uhi.testing import Network, Options


@dataclass
class Wall:
    """A clock on the wall that somebody sets; what sleeps by it wakes when so much time has really passed."""

    real: Clock
    offset: float = 0.0

    def now(self) -> float:
        """What it shows."""
        return self.real.now() + self.offset

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have really passed."""
        await self.real.sleep(seconds)


@pytest.fixture
async def walls():
    """A network in which every program has a clock of its own, by its id."""
    clocks: dict[str, Wall] = {}

    def clock_of(subscriber_id: str, clock: Clock) -> Clock:
        return clocks.setdefault(subscriber_id, Wall(clock))

    async with Network(Options(clock_of=clock_of)) as network:
        yield await Scene.on(network), clocks


async def told(scene: Scene) -> tuple[bool, str]:
    """What the app's health page says of its clock."""
    found = await scene.app.health().checks["clock"]()
    return found.ok, found.text


@pytest.mark.case("REL-04")
@pytest.mark.parametrize("offset", [-6.0, 6.0, 3_600.0, -3_600.0])
async def test_program_with_a_wrong_clock_signs_nothing_until_it_is_right(walls, caplog, offset):
    """Decision 16: beyond 5 s nothing is signed, the operator is told; it goes on when the clock is right again."""
    scene, clocks = walls
    clocks["app.example"].offset = offset
    with pytest.raises((DeliveryError, NoAnswer)):
        await scene.app.ask(INIT, A_WISH, A_THREAD, wait=1)

    with pytest.raises(DeliveryError, match="our clock is wrong"):
        await scene.app.ask(INIT, A_WISH, A_THREAD, wait=5)
    ok, text = await told(scene)
    clocks["app.example"].offset = 0.0
    await scene.network.clock.advance(15)
    answer = await scene.app.ask(INIT, A_WISH, A_THREAD, wait=30)

    assert not ok
    assert text.startswith(f"{abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'}")
    assert answer.message == AN_OFFER
    assert [each.levelno for each in caplog.records if "our clock" in each.getMessage()][:1] == [logging.ERROR]
    assert (await told(scene))[0]


@pytest.mark.case("REL-04")
async def test_letters_wait_for_a_right_clock_and_are_not_lost(walls):
    """Decision 16: news is kept and sent when it can be signed; no attempt is made, none is counted."""
    scene, clocks = walls
    await scene.app.ask(INIT, A_WISH, A_THREAD, wait=30)
    clocks["clinic.example"].offset = 20.0
    await scene.network.clock.advance(31)
    await scene.clinic.tell(UPDATED, STARTED, A_THREAD)
    await scene.network.clock.advance(60)
    waited = scene.deliveries("on_update", sender="clinic.example")

    clocks["clinic.example"].offset = 0.0
    await scene.network.clock.advance(30)
    await scene.network.settle()

    assert waited == []
    assert [hop.outcome for hop in scene.deliveries("on_update", sender="clinic.example")] == ["ACK"]


async def test_clock_that_is_a_little_off_is_only_told(walls, caplog):
    """Decision 16: above 0.5 s a warning, once; everything goes on."""
    scene, clocks = walls
    clocks["app.example"].offset = 2.0

    answers = await asyncio.gather(*(scene.app.ask(INIT, A_WISH, A_THREAD, wait=30) for _ in range(3)))

    assert [answer.message for answer in answers] == [AN_OFFER] * 3
    lines = [each for each in caplog.records if "our clock" in each.getMessage()]
    assert [each.levelno for each in lines] == [logging.WARNING]
