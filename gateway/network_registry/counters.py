"""The registry's lookups: UHI's, the gateway's list of providers, Beckn's filter. Each stands on `authenticate`.

Below: `lookup`, the doors; above: `bootstrap`. Source: UHI and Beckn registry lookups, decision 26.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.network_registry.entrance import Answered, Counter, RegistryEntrance, Site
from gateway.network_registry.filters import FILTER, read_filter
from gateway.network_registry.lookup import Row, filtered_rows, provider_rows, rows_for
from uhi.actions import LOOKUP, PROVIDER_LOOKUP
from uhi.errors import Refusal
from uhi.exchange import authenticate
from uhi.faults import RECORD_UNKNOWN
from uhi.ports import CallLog, Clock, Inbound
from uhi.registry.memory import MemoryRegistry
from uhi.signing import Signer


@contextmanager
def telling(sender: str) -> Iterator[None]:
    """Refusals inside are about this sender."""
    try:
        yield
    except Refusal as refusal:
        refusal.about = (sender, "", "")
        raise


@dataclass(frozen=True, slots=True)
class Lookups:
    """Answers lookups of members to members. Nobody found is a refusal, RECORD_UNKNOWN."""

    site: Site

    def counters(self) -> Mapping[str, Counter]:
        """UHI's paths."""
        return {
            LOOKUP.path: Counter(LOOKUP, self.look_up),
            PROVIDER_LOOKUP.path: Counter(PROVIDER_LOOKUP, self.providers),
        }

    def beckn_counters(self) -> Mapping[str, Counter]:
        """Beckn's path, which has UHI's name and another meaning: it is served at the root."""
        return {FILTER.path: Counter(FILTER, self.filtered)}

    async def look_up(self, inbound: Inbound) -> Answered:
        """Who is this subscriber, and what is its key?"""
        asked = await authenticate(inbound, LOOKUP, self.site.trust)
        members = self.site.members.with_id(asked.message.subscriber_id)
        return Answered(asked.sender.id, _found(rows_for(asked.message, members), asked.sender.id))

    async def providers(self, inbound: Inbound) -> Answered:
        """Which providers does a search concern?"""
        asked = await authenticate(inbound, PROVIDER_LOOKUP, self.site.trust)
        rows = provider_rows(asked.message, self.site.members.members())
        return Answered(asked.sender.id, {"message": _found(rows, asked.sender.id)})

    async def filtered(self, inbound: Inbound) -> Answered:
        """Who fits this filter?"""
        asked = await authenticate(inbound, FILTER, self.site.trust)
        with telling(asked.sender.id):
            wanted = read_filter(asked.message)
            if not wanted.subscriber_id and self.site.rates is not None:
                await self.site.rates.check_list(asked.sender)
        members = self.site.members
        candidates = members.with_id(wanted.subscriber_id) if wanted.subscriber_id else members.members()
        return Answered(asked.sender.id, _found(filtered_rows(wanted, candidates), asked.sender.id))


def _found(rows: list[Row], asker: str) -> list[Row]:
    if not rows:
        with telling(asker):
            raise Refusal(RECORD_UNKNOWN, f"nobody fits what {asker} asked for")
    return rows


def lookup_entrance(
    subscriber_id: str, members: MemoryRegistry, *, clock: Clock, log: CallLog, signer: Signer | None = None
) -> RegistryEntrance:
    """A registry of members in memory that answers UHI's lookups and nothing else: for development and tests.

    With a signer its answers are numbered and signed.
    """
    site = Site(subscriber_id, members, clock, log, signer)
    return RegistryEntrance(site, Lookups(site).counters())
