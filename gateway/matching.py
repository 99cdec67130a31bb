"""Which providers a search concerns. Pure: the registry's list and the search in, subscribers out.

Domain and country have been matched by the registry; city and declared fulfilment types count only where the network
says so. Source: decision 25.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uhi.messages import Context
from uhi.subscribers import Subscriber

_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class MatchRules:
    """What a network matches on beside domain and country."""

    city: bool = False
    fulfilment_type: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for, as far as matching looks."""

    city: str
    fulfilment_type: str


def wanted(context: Context, intent: Mapping[str, object]) -> Wanted:
    """Read a search. A fulfilment type that is not text counts as not named."""
    fulfilment = intent.get("fulfillment")
    kind = fulfilment.get("type") if isinstance(fulfilment, dict) else None
    return Wanted(context.city or "", kind if isinstance(kind, str) else "")


def match(providers: Sequence[Subscriber], search: Wanted, rules: MatchRules) -> tuple[Subscriber, ...]:
    """The providers concerned, each once, in the given order."""
    if rules == MatchRules():
        return tuple({provider.id: provider for provider in providers}.values())
    concerned = (provider for provider in providers if _concerns(provider, search, rules))
    return tuple({provider.id: provider for provider in concerned}.values())


def _concerns(provider: Subscriber, search: Wanted, rules: MatchRules) -> bool:
    if rules.city and search.city and not {search.city, _EVERYWHERE} & set(provider.cities):
        return False
    declared = provider.fulfilment_types
    return not (rules.fulfilment_type and search.fulfilment_type and declared and search.fulfilment_type not in declared)  # fmt: skip


def cut(targets: tuple[Subscriber, ...], limit: int, turn: int) -> tuple[Subscriber, ...]:
    """At most `limit` of the targets, beginning further on at each `turn`, so that nobody is always left out."""
    if len(targets) <= limit:
        return targets
    start = turn * limit % len(targets)
    return (targets[start:] + targets[:start])[:limit]
