"""Programs that die and begin again: nothing of the process is left, what it stored is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from hashlib import blake2b

from tests.network.scene import Scene
from tests.stores import Before, Shelves, nothing
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.upkeep import Upkeep
from uhi.participant import Participant
from uhi.signing import PrivateKey
from uhi.testing import Options


def lasting(shelves: Shelves, **options: object) -> Options:
    """A network in which every program keeps its storage and its key from life to life."""
    shelves.is_durable = True
    return Options(keeping=shelves, new_key=_key_of, **options)


def _key_of(subscriber_id: str) -> PrivateKey:
    return PrivateKey(blake2b(subscriber_id.encode(), digest_size=32).digest())


@dataclass
class Dying:
    """A `before` at which the process stands still for ever, the `times`-th time that it comes to `step`.

    `is_there` is set when it has come so far.
    """

    step: str
    times: int = 1
    is_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, step: str) -> None:
        if step == self.step:
            self.times -= 1
            if self.times <= 0:
                self.is_there.set()
                await asyncio.Event().wait()


async def kill(scene: Scene, participant: Participant) -> None:
    """A participant's process ends at once: nothing is finished, nothing is given back, nobody listens."""
    office = participant._office
    await _end(office.deliveries, office.upkeep)
    scene.network._participants.remove(participant)
    del scene.network._memory.entrances[participant.identity.me.url]


async def kill_gateway(scene: Scene) -> None:
    """As `kill`."""
    gateway = scene.gateway
    await _end(gateway._deliveries, gateway._upkeep)
    del scene.network._memory.entrances[gateway.identity.me.url]


async def _end(deliveries: Deliveries, upkeep: Upkeep) -> None:
    deliveries._is_stopped = True
    for each in (deliveries._work, deliveries._sending, deliveries._loop, upkeep._tasks):
        await each.stop()


async def restart_clinic(scene: Scene, *, before: Before = nothing) -> Participant:
    """The clinic begins again, with the same key, address and storage."""
    _stored(scene, "clinic.example").before = before
    scene.clinic = await scene.network.provider("clinic.example", prepare=scene._answer_everything)
    await scene.network.clock.advance(0)
    return scene.clinic


async def restart_gateway(scene: Scene, *, before: Before = nothing) -> None:
    """The gateway begins again, with the same key, address and storage."""
    _stored(scene, "gateway.example").before = before
    scene.network.gateway = await scene.network._make_gateway()
    await scene.network.clock.advance(0)


def _stored(scene: Scene, subscriber_id: str) -> object:
    shelves = scene.network.options.keeping
    assert isinstance(shelves, Shelves)
    return shelves.stores[subscriber_id]
