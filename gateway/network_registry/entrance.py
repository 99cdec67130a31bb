"""The registry's entrance: a signed question in, a signed and numbered answer or NACK out, a line in the call log.

A door of its own, without conversations: each path has a counter that authenticates and answers at once. Any exception
is caught here, as at every door. Above: `bootstrap`; below: `counters`, `answers`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.network_registry.answers import Answers
from uhi.errors import Refusal
from uhi.exchange import Trust
from uhi.exchange.entrance import Ledger, Manners, unforeseen
from uhi.exchange.opened import check_head
from uhi.exchange.rates import Rates
from uhi.faults import PATH_UNKNOWN
from uhi.legs import Leg
from uhi.messages.wire import Wire
from uhi.ports import CallLog, Clock, Inbound, Reply
from uhi.registry.memory import MemoryRegistry
from uhi.signing import Signer
from uhi.subscribers import Role


@dataclass(frozen=True, slots=True)
class Site:
    """What every entrance of one registry has in common: its id, members, time, call log, how it signs (None: it does
    not), and how often one may ask (None: as often as one likes)."""

    subscriber_id: str
    members: MemoryRegistry
    clock: Clock
    log: CallLog
    signer: Signer | None = None
    rates: Rates | None = None

    @property
    def trust(self) -> Trust:
        """The registry trusts what it holds."""
        return Trust(self.subscriber_id, Role.REGISTRY, self.members, self.clock, rates=self.rates)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a counter says, to whom: rows, or one object."""

    sender: str
    value: object


@dataclass(frozen=True, slots=True)
class Counter:
    """One path: the leg that arrives there, and who answers. It raises what it refuses, with `about` set as far as the
    sender is known."""

    leg: Leg[Wire]
    answer: Callable[[Inbound], Awaitable[Answered]]


class RegistryEntrance:
    """Implements `uhi.ports.Entrance` for the paths of the counters."""

    def __init__(self, site: Site, counters: Mapping[str, Counter]) -> None:
        self._counters = counters
        self._answers = Answers(site.signer, site.clock, lambda: site.members.seq)
        self._trust = site.trust
        self._clock = site.clock
        self._ledger = Ledger(Manners(site.subscriber_id), site.log, site.clock, logging.getLogger(__name__))

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, with the most bytes of a body."""
        return {path: counter.leg.limits.body for path, counter in self._counters.items()}

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """Refuse what can be refused before the body is there; see `uhi.ports.Entrance`."""
        started = self._clock.now()
        try:
            await check_head(inbound, self._counter(inbound).leg, self._trust, size=size)
        except Refusal as refusal:
            return self._refused(refusal, inbound, started)
        except Exception as error:
            return self._refused(unforeseen(error), inbound, started)
        return None

    async def take(self, inbound: Inbound) -> Reply:
        """Answer one question; see `uhi.ports.Entrance`."""
        started = self._clock.now()
        try:
            answered = await self._counter(inbound).answer(inbound)
        except Refusal as refusal:
            return self._refused(refusal, inbound, started)
        except Exception as error:
            return self._refused(unforeseen(error), inbound, started)
        self._ledger.write(inbound, started, (answered.sender, "", ""), "ACK")
        return self._answers.reply(answered.value, inbound.body)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._refused(refusal, Inbound(path, {}, b""), self._clock.now())

    def _counter(self, inbound: Inbound) -> Counter:
        counter = self._counters.get(inbound.path)
        if counter is None:
            raise Refusal(PATH_UNKNOWN)
        return counter

    def _refused(self, refusal: Refusal, inbound: Inbound, started: float) -> Reply:
        return self._answers.refusal(self._ledger.refused(refusal, inbound, started), inbound.body)
