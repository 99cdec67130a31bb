"""The gateway: one door, two kinds of relay, and audit copies that are only written down.

Above: `gateway.bootstrap` and the command line; below: the exchange of the library. The way of a search:
`search.admit` (step 8: match), journal with the open search, ACK, `fan_out`; of a catalogue: `on_search`, journal, ACK,
`fan_out` to one.
"""

from __future__ import annotations

import logging

from gateway.fan_out import fan_out
from gateway.on_search import admit_on_search, who_asked
from gateway.record import describe, stage_hop
from gateway.relays import GATEWAY_LEGS, RELAYED_ON_SEARCH, RELAYED_SEARCH
from gateway.search import Searches, SearchRules
from uhi.errors import Refusal, SetupError
from uhi.exchange.admission import Admitted, Candidate, end_of_work
from uhi.exchange.deliveries import POLL_SECONDS, Deliveries
from uhi.exchange.entrance import DoorEntrance, Manners
from uhi.exchange.legs import Legs
from uhi.exchange.pressure import Pressure
from uhi.exchange.receive import Door, Received, replay
from uhi.exchange.send import Exit
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import Trust
from uhi.exchange.upkeep import Upkeep
from uhi.faults import INTERNAL, OVERLOADED, REGISTRY_AWAY
from uhi.frontage import callable_by_registry, check_registry_known, health_of
from uhi.http.health import Health
from uhi.network import LOCAL, Network
from uhi.office import UNREADABLE_SECONDS
from uhi.participant import DRAIN_SECONDS
from uhi.ports import Change, Entrance, Kept, ProviderDirectory
from uhi.subscribers import Audience
from uhi.verified import Admission
from uhi.world import Identity, World

log = logging.getLogger(__name__)

_LEGS = {leg.name: leg for leg in GATEWAY_LEGS}


class Relays:
    """A gateway's step 8."""

    def __init__(self, searches: Searches, world: World, our_id: str) -> None:
        self._searches = searches
        self._world = world
        self._our_id = our_id

    async def __call__(self, candidate: Candidate, row: str) -> Admitted:
        """See `uhi.exchange.admission.Admit`."""
        leg = candidate.legs[0]
        if leg is RELAYED_SEARCH:
            return await self._searches.admit(candidate, row)
        if leg is RELAYED_ON_SEARCH:
            return await admit_on_search(candidate, self._our_id, self._world)
        return Admitted(leg, Admission(), end_of_work(leg, candidate.context, candidate.now))


class Gateway:
    """A network's gateway. It holds no conversation of its own and never sees a booking."""

    def __init__(
        self,
        identity: Identity,
        *,
        world: World,
        directory: ProviderDirectory,
        rules: SearchRules | None = None,
        network: Network = LOCAL,
    ) -> None:
        me = identity.me
        self.identity = identity
        self.world = world
        self._searches = Searches(directory, rules or SearchRules(), me=me, world=world)
        rates = world.new_rates()
        trust = Trust(me.id, me.role, world.registry, world.clock, window=network.window, rates=rates)
        door = Door(trust, Legs(GATEWAY_LEGS), world.storage, Relays(self._searches, world, me.id))
        check_registry_known(network, world)
        stamps = world.stamps or Stamps(identity.signer)
        way_out = Exit(
            me, stamps, world.transport, world.registry, world.clock, world.log, clock_offset=world.clock_offset
        )
        pressure = Pressure(world.bounds, world.clock)
        self._deliveries = Deliveries(way_out, world.storage, pressure=pressure, signals=world.signals)
        self._upkeep = Upkeep(world.storage, self._deliveries, world.clock, self._take_up, pressure, world.retention)
        manners = Manners(me.id, always_200=network.always_200)
        self._door = DoorEntrance(door, self._start, world.log, manners, pressure.check, describe)
        self._entrance = callable_by_registry(self._door, identity, world)

    @property
    def entrance(self) -> Entrance:
        """What a server or a test network puts in front of this gateway."""
        return self._entrance

    @property
    def waiting(self) -> int:
        """How many deliveries are under way."""
        return self._deliveries.waiting

    async def idle(self) -> None:
        """Return when no delivery is under way."""
        await self._deliveries.idle()

    def health(self) -> Health:
        """What the health pages tell."""
        return health_of(self.world, is_open=lambda: self._door.is_open)

    async def start(self) -> None:
        """Take up what an earlier life left, and begin the background.

        Raises: SetupError when the storage cannot be used.
        """
        await self.world.open()
        try:
            await self._upkeep.start()
        except Refusal as refusal:
            raise SetupError(
                "the storage cannot be reached", got=str(refusal), next_step="check UHI_DATABASE_URL"
            ) from None
        for work in self.world.kept.meanwhile:
            self._upkeep.meanwhile(work)

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Take no more messages and finish what is under way within `seconds`; what is stored goes on with the next
        start."""
        self._door.is_open = False
        await self._deliveries.drain(seconds, close=self._door.close)
        await self._upkeep.stop()
        await self._upkeep.release()

    def _start(self, received: Received) -> None:
        message = received.message
        if received.leg is RELAYED_SEARCH:
            self._searches.accepted(message)
        self._deliveries.spawn(self._deliveries.heard_from(message.sender.id))
        self._deliveries.follow(message, self._pass_on(received, message.admission.audience))

    def _take_up(self, kept: Kept) -> None:
        self._deliveries.spawn(self._again(kept))

    async def _again(self, kept: Kept) -> None:
        """Whom a message concerns is found out anew: it was not kept with it."""
        try:
            received = replay(kept, _LEGS)
            audience = await self._audience(received)
        except Refusal as refusal:
            if refusal.fault in (REGISTRY_AWAY, OVERLOADED) and self.world.clock.now() < kept.deadline:
                await self.world.clock.sleep(POLL_SECONDS)
                self._take_up(kept)
                return
            if refusal.fault is INTERNAL:
                log.error("a message of an earlier life is left to a version that can read it: %s", refusal)
                await self.world.storage.put_off(kept.id, until=self.world.clock.now() + UNREADABLE_SECONDS)
                return
            log.error("a message of an earlier life is given up: %s", refusal)
            await self._deliveries.finish(Change(finishes=kept.id))
            return
        await self._pass_on(received, audience)

    async def _audience(self, received: Received) -> Audience:
        if received.leg is RELAYED_SEARCH:
            return await self._searches.audience_again(received.message, received.row)
        if received.leg is RELAYED_ON_SEARCH:
            return await who_asked(received.message, self.identity.me.id, self.world)
        return Audience()

    async def _pass_on(self, received: Received, audience: Audience) -> None:
        if audience.members:
            await fan_out(received, audience.members, self._deliveries)
            return
        # A search taken up again may concern nobody any more; what else has no audience is an audit copy.
        is_copy = received.leg not in (RELAYED_SEARCH, RELAYED_ON_SEARCH)
        now = self.world.clock.now()
        hops = (stage_hop(received, gateway_id=self.identity.me.id, now=now),) if is_copy else ()
        await self._deliveries.finish(Change(finishes=received.row, forgets=True, hops=hops))
