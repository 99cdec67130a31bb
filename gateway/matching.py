"""Which providers a search concerns. Pure: the registry's list and the search in, subscribers out.

Domain and country have been matched by the registry; city and declared fulfilment types count only where the network
says so. Source: decision 25.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from uhi.messages import Context
from uhi.subscribers import Audience, Subscriber

_EVERYWHERE = "*"
_LONGEST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class MatchRules:
    """What a network matches on beside domain and country."""

    city: bool = False
    fulfilment_type: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for, as far as matching looks."""

    city: str = ""
    fulfilment_type: str = ""


_ANYTHING = Wanted()


def wanted(context: Context, intent: Mapping[str, object]) -> Wanted:
    """Read a search. A fulfilment type that is not text counts as not named, and so does the city `*`."""
    fulfilment = intent.get("fulfillment")
    kind = fulfilment.get("type") if isinstance(fulfilment, dict) else None
    city = "" if context.city == _EVERYWHERE else context.city or ""
    return Wanted(city, kind if isinstance(kind, str) else "")


def match(providers: Sequence[Subscriber], search: Wanted, rules: MatchRules) -> Audience:
    """The providers concerned, each once, in the given order."""
    return Audience.of(provider for provider in providers if _concerns(provider, search, rules))


def _concerns(provider: Subscriber, search: Wanted, rules: MatchRules) -> bool:
    if rules.city and search.city and not {search.city, _EVERYWHERE} & set(provider.cities):
        return False
    if not (rules.fulfilment_type and search.fulfilment_type and provider.fulfilment_types):
        return True
    return search.fulfilment_type in provider.fulfilment_types


@dataclass(frozen=True, slots=True)
class _Matched:
    """The list these matches are of, held so that no other list can take its place unseen."""

    providers: Sequence[Subscriber]
    audiences: dict[Wanted, Audience] = field(default_factory=dict)


class Audiences:
    """Remembers matches for as long as the registry's list of a place stays the same object, so that a search among a
    thousand providers costs no more before its ACK than one among ten.

    It holds one list for each of `places` domains and countries, and `most` matches of each list.
    """

    def __init__(self, rules: MatchRules, *, most: int = 100, places: int = 100) -> None:
        self._rules = rules
        self._looks_at_searches = rules != MatchRules()
        self._most = most
        self._places = places
        self._known: dict[tuple[str, str], _Matched] = {}

    def of(self, providers: Sequence[Subscriber], search: Wanted, *, place: tuple[str, str] = ("", "")) -> Audience:
        """As `match`; `place` is the domain and country the registry's list is for."""
        seen = self._seen(search)
        if not providers or max(map(len, (*place, seen.city, seen.fulfilment_type))) > _LONGEST_REMEMBERED:
            return match(providers, search, self._rules)
        audiences = self._list(providers, place).audiences
        audience = audiences.get(seen)
        if audience is None:
            if len(audiences) >= self._most:
                audiences.clear()
            audience = audiences[seen] = match(providers, search, self._rules)
        return audience

    def _list(self, providers: Sequence[Subscriber], place: tuple[str, str]) -> _Matched:
        known = self._known.get(place)
        if known is not None and known.providers is providers:
            return known
        if known is None and len(self._known) >= self._places:
            del self._known[next(iter(self._known))]
        fresh = self._known[place] = _Matched(providers)
        return fresh

    def _seen(self, search: Wanted) -> Wanted:
        """Only what the rules look at tells matches apart."""
        if not self._looks_at_searches:
            return _ANYTHING
        return Wanted(
            search.city if self._rules.city else "", search.fulfilment_type if self._rules.fulfilment_type else ""
        )


def cut(audience: Audience, limit: int, turn: int) -> Audience:
    """At most `limit` of them, beginning further on at each `turn`, so that nobody is always left out."""
    members = audience.members
    if len(members) <= limit:
        return audience
    start = turn * limit % len(members)
    asked = Audience.of((members[start:] + members[:start])[:limit])
    return replace(asked, left_out=len(members) - limit)
