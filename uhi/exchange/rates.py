"""How much one party may ask of us: messages of each subscriber, bad signatures of each address and key, requests of
each address.

A rate is a window of two seconds, so its burst is twice its rate. Counted in `uhi.ports.Windows`, in Redis where there
is one; requests by address in this process alone. Above: `opened`; below: ports. Source: limits table, decision 24.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address
from math import ceil

from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.faults import RATE_LIMITED
from uhi.messages.wire import Wire
from uhi.ports import Clock, Windows
from uhi.signing import SignatureHeader
from uhi.subscribers import Role, Subscriber

BURST_SECONDS = 2
_MINUTE = 60
_MOST_BLOCKED = 10_000


@dataclass(frozen=True, slots=True)
class RateRules:
    """How many a second: `searches` of one consumer at a gateway, or of one member through a whole register, `answers`
    (catalogues) of one provider at a gateway, `lookups` of one member at a registry, all other `messages` of one
    subscriber, `requests` of one address. `bad_signatures` are so many a minute from one address under one key. 0 is no
    limit."""

    searches: int = 10
    answers: int = 500
    lookups: int = 500
    messages: int = 50
    requests: int = 1_000
    bad_signatures: int = 5


NO_LIMITS = RateRules(searches=0, answers=0, lookups=0, messages=0, requests=0, bad_signatures=0)
"""For a network on one machine that is pushed as far as it goes."""


class Rates:
    """Counts, and refuses what is too much. `windows` are those of all processes, `own` of this one alone."""

    def __init__(self, rules: RateRules, windows: Windows, *, own: Windows, clock: Clock) -> None:
        self._rules = rules
        self._windows = windows
        self._own = own
        self._clock = clock
        self._blocked: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def check_address(self, address: str) -> None:
        """Count a request of which nothing is known but where it came from.

        Raises: Refusal(RATE_LIMITED).
        """
        most = self._rules.requests
        if most:
            wait = await self._own.hit(f"address {place_of(address)}", most=most * BURST_SECONDS, seconds=BURST_SECONDS)
            if wait:
                raise _too_many("requests from one address", wait)

    async def check_sender(self, sender: Subscriber, leg: Leg[Wire]) -> None:
        """Count a message whose signature holds.

        Raises: Refusal(RATE_LIMITED).
        """
        await self._count(sender, *self._kind(leg))

    async def check_list(self, sender: Subscriber) -> None:
        """Count a lookup that goes through the whole register, beside its being one.

        Raises: Refusal(RATE_LIMITED).
        """
        await self._count(sender, "lists", self._rules.searches)

    def check_key(self, address: str, header: SignatureHeader) -> None:
        """Before anything is computed: this address has not sent too many bad signatures under this key.

        Raises: Refusal(RATE_LIMITED).
        """
        if not self._blocked:
            return
        key = _key(address, header)
        until = self._blocked.get(key)
        if until is None:
            return
        wait = until - self._clock.now()
        # A clock that was set back keeps nobody out for longer than the window can.
        if not 0 < wait <= 2 * _MINUTE + 1:
            del self._blocked[key]
            return
        raise _too_many("bad signatures from one address under one key", wait)

    async def count_bad_signature(self, address: str, header: SignatureHeader) -> None:
        """A signature did not hold; the last that is allowed in its minute closes the door for the next."""
        most = self._rules.bad_signatures
        if not most:
            return
        key = _key(address, header)
        wait = await self._windows.hit(f"bad {' '.join(key)}", most=most - 1, seconds=_MINUTE)
        if wait:
            self._blocked.pop(key, None)
            self._blocked[key] = self._clock.now() + wait
            if len(self._blocked) > _MOST_BLOCKED:
                self._blocked.popitem(last=False)

    async def _count(self, sender: Subscriber, kind: str, most: int) -> None:
        if most:
            wait = await self._windows.hit(f"{kind} {sender.id}", most=most * BURST_SECONDS, seconds=BURST_SECONDS)
            if wait:
                raise _too_many(f"{kind} from {sender.id}", wait)

    def _kind(self, leg: Leg[Wire]) -> tuple[str, int]:
        rules = self._rules
        if leg.receiver is Role.REGISTRY:
            return "lookups", rules.lookups
        if leg.receiver is Role.GATEWAY and leg.path == "search":
            return "searches", rules.searches
        if leg.receiver is Role.GATEWAY and leg.answers == "search":
            return "answers", rules.answers
        return "messages", rules.messages


def place_of(address: str) -> str:
    """What is counted as one address: with IPv6 a network of 64 bits: whoever has one number there has all."""
    if ":" not in address:
        return address
    try:
        number = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(number.ipv4_mapped or IPv6Address(int(number) >> 64 << 64))


def _key(address: str, header: SignatureHeader) -> tuple[str, str, str]:
    return place_of(address), header.subscriber_id, header.key_id


def _too_many(what: str, wait: float) -> Refusal:
    refusal = Refusal(RATE_LIMITED, f"too many {what}", next_step="send less often")
    refusal.retry_after = ceil(wait)
    return refusal
