"""The first search: matched before the ACK, fanned out after it, the same bytes to every provider it concerns.

Above: `gateway.app`; below: matching, open searches, the door out. Source: UHI guide 2.1, decisions 13, 19, 23, 25.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from gateway.matching import Audiences, MatchRules, cut, wanted
from gateway.open_searches import OpenSearch, OpenSearches
from gateway.relays import RelayedSearch
from uhi.errors import MESSAGE_INVALID, NO_PROVIDERS, Refusal
from uhi.exchange.admission import Admitted, Candidate
from uhi.exchange.compose import COUNTRY
from uhi.exchange.parties import check_registered_consumer, ttl_end
from uhi.exchange.send import Exit
from uhi.ports import Direction, Hop, ProviderDirectory
from uhi.verified import Admission

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


@dataclass(frozen=True, slots=True)
class AdmittedSearch(Admitted):
    """Also how many providers the search concerns, of whom some may be left out."""

    concerned: int = 0


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
        self._turn = 0

    async def admit(self, candidate: Candidate) -> AdmittedSearch:
        """Step 8 for a search: the consumer is as registered, and somebody is concerned. Nothing is changed.

        Raises: Refusal(CONSUMER_UNKNOWN, CONSUMER_URI_MISMATCH, MESSAGE_INVALID, RATE_LIMITED, OVERLOADED,
        NO_PROVIDERS, REGISTRY_AWAY).
        """
        context = candidate.context
        check_registered_consumer(context, candidate.sender)
        place = _checked(context.domain, "domain"), _checked(context.country or COUNTRY, "country")
        self._open.check_room(candidate.sender.id, candidate.transaction_id, now=candidate.now)
        message = candidate.message
        intent = message.intent if isinstance(message, RelayedSearch) else {}
        providers = await self._directory.providers(*place)
        audience = self._audiences.of(providers, wanted(context, intent), place=place)
        if not audience.members:
            raise Refusal(
                NO_PROVIDERS, "no subscribed provider fits this search", next_step="widen the search, or register"
            )
        asked = cut(audience, self._rules.fan_out_limit, self._turn)
        return AdmittedSearch(candidate.legs[0], Admission(audience=asked), concerned=len(audience.members))

    def accepted(self, candidate: Candidate, admitted: AdmittedSearch) -> None:
        """Open the search before anybody can answer it; where some were left out, say so and let others be next."""
        rules = self._rules
        ends = ttl_end(candidate.context, candidate.now)
        open_for = rules.open_seconds if ends is None else min(ends - candidate.now, rules.longest_open_seconds)
        self._open.open(
            OpenSearch(
                consumer=candidate.sender,
                transaction_id=candidate.transaction_id,
                message_id=candidate.context.message_id,
                asked=admitted.admission.audience.ids,
                until=candidate.now + open_for,
            )
        )
        if admitted.concerned > rules.fan_out_limit:
            self._turn += 1
            self._tell_truncated(candidate, admitted.concerned)

    def _tell_truncated(self, candidate: Candidate, concerned: int) -> None:
        limit = self._rules.fan_out_limit
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
