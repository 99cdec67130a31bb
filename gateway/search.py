"""The first search: matched before the ACK, fanned out after it, the same bytes to every provider it concerns.

Above: `gateway.app`; below: matching, open searches, the door out. Source: UHI guide 2.1, decisions 13, 19, 23, 25.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from gateway.matching import Audiences, MatchRules, cut, wanted
from gateway.relays import RelayedSearch
from uhi.errors import Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.compose import COUNTRY
from uhi.exchange.parties import check_registered_consumer, ttl_end
from uhi.faults import MESSAGE_INVALID, NO_PROVIDERS
from uhi.messages import Context
from uhi.messages.wire import Wire
from uhi.ports import Direction, Hop, OpenRequest, ProviderDirectory
from uhi.subscribers import Audience, Subscriber
from uhi.verified import Admission, Declined, Verified
from uhi.world import World

log = logging.getLogger(__name__)

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class SearchRules:
    """What a network decides on searches: `fan_out_limit` providers at most, open for `open_seconds` without a ttl and
    for `longest_open_seconds` whatever the ttl."""

    match: MatchRules = field(default_factory=MatchRules)
    fan_out_limit: int = 2_000
    open_seconds: float = 60.0
    longest_open_seconds: float = 300.0


class Searches:
    """Decides on searches: whom each concerns, and how long it stays open."""

    def __init__(self, directory: ProviderDirectory, rules: SearchRules, *, me: Subscriber, world: World) -> None:
        self._directory = directory
        self._me = me
        self._world = world
        self._rules = rules
        self._audiences = Audiences(rules.match)

    async def admit(self, candidate: Candidate, row: str) -> Admitted:
        """Step 8 for a search: the consumer is as registered, and somebody is concerned. It opens with its acceptance,
        before anybody can answer it.

        Raises: Refusal(CONSUMER_UNKNOWN, CONSUMER_URI_MISMATCH, MESSAGE_INVALID, NO_PROVIDERS, REGISTRY_AWAY).
        """
        context = candidate.context
        check_registered_consumer(context, candidate.sender)
        concerned = await self._concerned(context, candidate.message)
        if not concerned.members:
            raise Refusal(
                NO_PROVIDERS, "no subscribed provider fits this search", next_step="widen the search, or register"
            )
        asked = self._cut(concerned, row)
        ends = ttl_end(context, candidate.now)
        return Admitted(
            candidate.legs[0],
            Admission(audience=asked),
            deadline=float(candidate.expires) if ends is None else min(ends, candidate.expires),
            opens=self._open_search(candidate, row, ends),
        )

    def accepted(self, message: Verified[Wire] | Declined) -> None:
        """A search is new and on its way; where it leaves some out, that is said."""
        asked = message.admission.audience
        if asked.left_out:
            self._tell_truncated(message, len(asked.members) + asked.left_out)

    async def audience_again(self, message: Verified[Wire] | Declined, row: str) -> Audience:
        """Whom a search concerns, found out anew after a crash; `row` is its id in the journal.

        Raises: Refusal(REGISTRY_AWAY, MESSAGE_INVALID).
        """
        body = message.message if isinstance(message, Verified) else None
        concerned = await self._concerned(message.context, body)
        return self._cut(concerned, row)

    def _cut(self, concerned: Audience, row: str) -> Audience:
        # Drawn by the random end of the row's id: everybody has a turn, and a search taken up again asks the same ones.
        return cut(concerned, self._rules.fan_out_limit, int(row[-8:], 16))

    async def _concerned(self, context: Context, message: Wire | None) -> Audience:
        place = _checked(context.domain, "domain"), _checked(context.country or COUNTRY, "country")
        intent = message.intent if isinstance(message, RelayedSearch) else {}
        providers = await self._directory.providers(*place)
        return self._audiences.of(providers, wanted(context, intent), place=place)

    def _open_search(self, candidate: Candidate, row: str, ends: float | None) -> OpenRequest:
        rules = self._rules
        open_for = rules.open_seconds if ends is None else min(ends - candidate.now, rules.longest_open_seconds)
        return OpenRequest(
            owner=self._me.id,
            leg=candidate.legs[0].name,
            # Not the consumer's message_id: two of them may choose the same, and one may use it again.
            message_id=row,
            transaction_id=candidate.transaction_id,
            counterpart="",
            opened_at=candidate.now,
            until=candidate.now + open_for,
            asker=candidate.sender,
            cause=row,
        )

    def _tell_truncated(self, message: Verified[Wire] | Declined, concerned: int) -> None:
        limit = self._rules.fan_out_limit
        log.error(
            "truncated: a search concerns %d providers, the limit is %d",
            concerned,
            limit,
            extra={"transaction_id": message.thread.transaction_id, "outcome": "truncated"},
        )
        self._world.log.write(
            Hop(
                at=message.received_at,
                direction=Direction.IN,
                sender=message.sender.id,
                receiver=self._me.id,
                action="search",
                transaction_id=message.thread.transaction_id,
                message_id=message.context.message_id,
                outcome="truncated",
                status=200,
                ms=0.0,
                detail=f"{concerned} providers concerned, {limit} asked",
            )
        )


def _checked(text: str, name: str) -> str:
    """What the registry is asked by: it lists no other names, so others need not be asked for."""
    if len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise Refusal(
            MESSAGE_INVALID,
            f"the {name} is no name that a registry lists",
            expected=f"at most {_LONGEST} printable ASCII characters",
            path=f"$.context.{name}",
        )
    return text
