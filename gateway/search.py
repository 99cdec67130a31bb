"""The first search: matched before the ACK, fanned out after it, the same bytes to every provider it concerns.

Above: `gateway.app`; below: matching, open searches, the door out. Source: UHI guide 2.1, decisions 13, 19, 23, 25.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import count

from gateway.matching import Audiences, MatchRules, cut, wanted
from gateway.open_searches import OpenSearch, OpenSearches
from gateway.relays import RelayedSearch
from uhi.errors import NO_PROVIDERS, Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.compose import COUNTRY
from uhi.exchange.parties import check_registered_consumer, ttl_end
from uhi.exchange.send import Exit
from uhi.ports import Direction, Hop, ProviderDirectory
from uhi.subscribers import Audience
from uhi.verified import Admission

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchRules:
    """What a network decides on searches: `fan_out_limit` providers at most, open for `open_seconds` without a ttl."""

    match: MatchRules = field(default_factory=MatchRules)
    fan_out_limit: int = 2_000
    open_seconds: float = 60.0


class Searches:
    """Decides on searches: whom each concerns, and how long it stays open."""

    def __init__(
        self, directory: ProviderDirectory, open_searches: OpenSearches, rules: SearchRules, *, way_out: Exit
    ) -> None:
        self._directory = directory
        self._way_out = way_out
        self._open = open_searches
        self._rules = rules
        self._audiences = Audiences(rules.match)
        self._turns = count()

    async def admit(self, candidate: Candidate) -> Admitted:
        """Step 8 for a search: the consumer is as registered, and somebody is concerned.

        Raises: Refusal(CONSUMER_UNKNOWN, CONSUMER_URI_MISMATCH, NO_PROVIDERS, REGISTRY_AWAY).
        """
        context = candidate.context
        check_registered_consumer(context, candidate.sender)
        message = candidate.message
        intent = message.intent if isinstance(message, RelayedSearch) else {}
        providers = await self._directory.providers(context.domain, context.country or COUNTRY)
        audience = self._audiences.of(providers, wanted(context, intent))
        if not audience.members:
            raise Refusal(
                NO_PROVIDERS, f"no subscribed provider for {context.domain}", next_step="widen the search, or register"
            )
        return Admitted(candidate.legs[0], Admission(audience=self._within_limit(audience, candidate)))

    def accepted(self, candidate: Candidate, admitted: Admitted) -> None:
        """Open the search before anybody can answer it."""
        ends = ttl_end(candidate.context, candidate.now)
        self._open.close_passed(candidate.now)
        self._open.open(
            OpenSearch(
                consumer=candidate.sender,
                transaction_id=candidate.transaction_id,
                message_id=candidate.context.message_id,
                asked=admitted.admission.audience.ids,
                until=candidate.now + self._rules.open_seconds if ends is None else ends,
            )
        )

    def _within_limit(self, audience: Audience, candidate: Candidate) -> Audience:
        limit, concerned = self._rules.fan_out_limit, len(audience.members)
        if concerned <= limit:
            return audience
        log.error(
            "truncated: a search concerns %d providers, the limit is %d",
            concerned,
            limit,
            extra={"transaction_id": candidate.transaction_id, "outcome": "truncated"},
        )
        self._way_out.log.write(
            Hop(
                at=candidate.now,
                direction=Direction.IN,
                sender=candidate.sender.id,
                receiver=self._way_out.me.id,
                action="search",
                transaction_id=candidate.transaction_id,
                message_id=candidate.context.message_id,
                outcome="truncated",
                status=200,
                ms=0.0,
                detail=f"{concerned} providers concerned, {limit} asked",
            )
        )
        return cut(audience, limit, next(self._turns))
