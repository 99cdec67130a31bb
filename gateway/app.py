"""The gateway: one door, two kinds of relay, and audit copies that are only written down.

Above: `gateway.bootstrap` and the command line; below: the exchange of the library. The way of a search: `search.admit`
(step 8: match), journal, ACK, `fan_out`; of a catalogue: `on_search`, journal, ACK, `fan_out` to one.
"""

from __future__ import annotations

from gateway.fan_out import fan_out
from gateway.on_search import admit_on_search
from gateway.open_searches import OpenSearches
from gateway.relays import GATEWAY_LEGS, RELAYED_ON_SEARCH, RELAYED_SEARCH
from gateway.search import AdmittedSearch, Searches, SearchRules
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.entrance import DoorEntrance, Manners
from uhi.exchange.legs import Legs
from uhi.exchange.receive import Door, Received
from uhi.exchange.send import Exit
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import Trust
from uhi.network import LOCAL, Network
from uhi.participant import DRAIN_SECONDS
from uhi.ports import Entrance, ProviderDirectory
from uhi.verified import Admission
from uhi.world import Identity, World


class Relays:
    """A gateway's step 8."""

    def __init__(self, searches: Searches, open_searches: OpenSearches) -> None:
        self._searches = searches
        self._open = open_searches

    async def __call__(self, candidate: Candidate) -> Admitted:
        """See `uhi.exchange.admission.Admit`."""
        leg = candidate.legs[0]
        if leg is RELAYED_SEARCH:
            return await self._searches.admit(candidate)
        if leg is RELAYED_ON_SEARCH:
            return admit_on_search(candidate, self._open)
        return Admitted(leg, Admission())

    async def accepted(self, candidate: Candidate, admitted: Admitted) -> None:
        """See `uhi.exchange.admission.Admit`."""
        if isinstance(admitted, AdmittedSearch):
            self._searches.accepted(candidate, admitted)


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
        self.open_searches = OpenSearches()
        way_out = Exit(me, Stamps(identity.signer), world.transport, world.clock, world.log)
        searches = Searches(directory, self.open_searches, rules or SearchRules(), way_out=way_out)
        trust = Trust(me.id, me.role, world.registry, world.clock, window=network.window)
        door = Door(trust, Legs(GATEWAY_LEGS), world.journal, Relays(searches, self.open_searches))
        self._deliveries = Deliveries(way_out)
        manners = Manners(me.id, always_200=network.always_200)
        self._entrance = DoorEntrance(door, self._start, world.log, manners, lambda: self._deliveries.is_full)

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

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Take no more messages and wait up to `seconds` for the deliveries under way."""
        self._entrance.is_open = False
        await self._deliveries.drain(seconds)

    def _start(self, received: Received) -> None:
        if received.message.admission.audience.members:
            fan_out(received.message, received.leg.path, self._deliveries)
