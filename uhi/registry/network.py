"""The network's registry over HTTP: signed lookups, answers checked and filtered, remembered for a short time.

Implements `ports.Registry` and `ports.ProviderDirectory`. Below: `cache`, `questions`, `rows`.
Source: UHI `networkregistry/lookup`; `lookup/providers`, signed answers and pushed changes are this network's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from uhi.exchange.trust import RegistryTrust
from uhi.ports import Clock, Transport
from uhi.registry import changes as pushed
from uhi.registry.budget import LookupBudget
from uhi.registry.cache import DEFAULT_TIMES, CacheTimes, LookupCache
from uhi.registry.changes import Change
from uhi.registry.memory import is_provider_for, is_registered_for
from uhi.registry.questions import LookupScope, Questions, RegistryAccess
from uhi.registry.replies import unknown
from uhi.registry.rows import choose, join
from uhi.subscribers import SUBSCRIBED, KeyRef, Record, Role, Subscriber

LONGEST_PROVIDER_LIST = 8 * 1024 * 1024
"""Bytes that the answer to a search for providers may have: the transport that asks must take as much."""


class NetworkRegistry:
    """What the network's registry says, for a while from memory; see `CacheTimes`.

    Keys, subscribers and domains never seen are looked up within a `LookupBudget` of each kind: made-up ones then cost
    refusals, not lookups. Keys that came with a list of providers need no lookup of their own.

    Where the registry's keys are pinned, an answer that it did not sign, to another question or older than what was
    known when the question was sent counts as none: the cache stays, one line is logged and `ignored` grows.
    """

    def __init__(
        self, access: RegistryAccess, *, transport: Transport, clock: Clock, times: CacheTimes = DEFAULT_TIMES
    ) -> None:
        self._scope = access.scope
        self._questions = Questions(access, transport=transport, clock=clock)
        self._clock = clock
        self._records = LookupCache(self._ask_record, clock=clock, times=times, budget=LookupBudget(clock))
        self._subscribers = LookupCache(self._ask_subscriber, clock=clock, times=times, budget=LookupBudget(clock))
        self._tell: Callable[[str], None] = lambda text: None
        self._providers = LookupCache(
            self._ask_providers, clock=clock, times=times, budget=LookupBudget(clock), size=1_000
        )

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """See `uhi.ports.Registry`."""
        before = self._records.peek(ref) if fresh else None
        record = await self._records.get(ref, fresh=fresh)
        if before is not None and record.key != before.key:
            self._tell(ref.subscriber_id)
        return record

    async def subscriber(self, subscriber_id: str, role: Role) -> Subscriber:
        """See `uhi.ports.Registry`."""
        return await self._subscribers.get((subscriber_id, role))

    async def providers(self, domain: str, country: str) -> tuple[Subscriber, ...]:
        """See `uhi.ports.ProviderDirectory`; ordered by id."""
        return await self._providers.get((domain, country))

    @property
    def answered_at(self) -> float | None:
        """When the registry last answered (Unix seconds), None: not yet."""
        return self._questions.answered_at

    @property
    def trust(self) -> RegistryTrust | None:
        """The registry's pinned keys, where there are any."""
        return self._questions.trust

    @property
    def questions(self) -> Questions:
        """How the registry is asked, and what its answers said of themselves: number, time, how many were ignored."""
        return self._questions

    def on_news(self, tell: Callable[[str], None]) -> None:
        """Have our other processes told, in a text for `heard`, what is out of date."""
        self._tell = tell

    def heard(self, text: str) -> None:
        """What another process told: changes that were pushed to it, or a subscriber with another key."""
        change = pushed.read(text)
        if change is None:
            self.forget(text)
        else:
            self._follow((change,))

    def changed(self, changes: Iterable[Change]) -> None:
        """What the registry pushed: what is active no more is not used again, and the rest of those it concerns asked
        for anew at the next need. Where a change in between did not reach us, all is asked for anew."""
        news = tuple(changes)
        self._follow(news)
        for change in news:
            self._tell(pushed.write(change))

    def forget(self, subscriber_id: str) -> None:
        """What is cached of a subscriber may be out of date: ask again at the next need."""
        self._records.drop(lambda ref: ref.subscriber_id == subscriber_id)
        self._subscribers.drop(lambda place: place[0] == subscriber_id)

    def _follow(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            ahead = self._questions.follow(change.seq)
            if ahead > 1:
                self._forget_all()
            if ahead > 0:
                self._take(change)

    def _take(self, change: Change) -> None:
        gone = change.subscriber_id
        self._records.remove(change.ends)
        if change.is_over:
            self._subscribers.remove(lambda place: place[0] == gone)
            self._providers.amend(lambda providers: tuple(each for each in providers if each.id != gone))
        self._providers.drop(lambda place: True)
        self.forget(gone)

    def _forget_all(self) -> None:
        self._records.drop(lambda ref: True)
        self._subscribers.drop(lambda place: True)
        self._providers.drop(lambda place: True)

    async def aclose(self) -> None:
        """Give up the lookups in flight."""
        for cache in (self._records, self._subscribers, self._providers):
            await cache.aclose()

    async def _ask_record(self, ref: KeyRef) -> Record:
        records = await self._lookup(ref.subscriber_id, ref.role, ref.key_id)
        record = self._best(records)
        if record is None:
            raise unknown(f"key {ref.key_id} of {ref.role.value} {ref.subscriber_id}")
        self._subscribers.put((ref.subscriber_id, ref.role), record.subscriber)
        return record

    async def _ask_subscriber(self, place: tuple[str, Role]) -> Subscriber:
        subscriber_id, role = place
        record = self._best(await self._lookup(subscriber_id, role))
        if record is None:
            raise unknown(f"{role.value} {subscriber_id}")
        return record.subscriber

    async def _ask_providers(self, place: tuple[str, str]) -> tuple[Subscriber, ...]:
        domain, country = place
        records = await self._questions.ask("lookup/providers", {"domain": domain, "country": country})
        rows: dict[str, list[Record]] = {}
        for record in records:
            if is_provider_for(record.subscriber, domain=domain, country=country):
                rows.setdefault(record.subscriber.id, []).append(record)
        return tuple(self._provider(rows[subscriber_id]) for subscriber_id in sorted(rows))

    def _provider(self, rows: list[Record]) -> Subscriber:
        """One provider from its rows, one per city and key, and what they say of it and its keys remembered."""
        provider = join(record.subscriber for record in rows)
        keys: dict[str, list[Record]] = {}
        for record in rows:
            keys.setdefault(record.key.id, []).append(record)
        for key_id, records in keys.items():
            best = self._best(records)
            if best is not None:
                self._records.put(KeyRef(provider.id, key_id, Role.PROVIDER), replace(best, subscriber=provider))
        self._subscribers.put((provider.id, Role.PROVIDER), provider)
        return provider

    async def _lookup(self, subscriber_id: str, role: Role, key_id: str = "") -> list[Record]:
        found: list[Record] = []
        for domain in self._scope.domains:
            found += await self._lookup_in(domain, subscriber_id, role, key_id)
            if self._active(found):
                break
        return found

    def _best(self, records: list[Record]) -> Record | None:
        return choose(self._active(records) or records)

    def _active(self, records: list[Record]) -> list[Record]:
        now = self._clock.now()
        return [
            record
            for record in records
            if record.subscriber.status == SUBSCRIBED and record.key.valid_from <= now <= record.key.valid_until
        ]

    async def _lookup_in(self, domain: str, subscriber_id: str, role: Role, key_id: str) -> list[Record]:
        scope = self._scope
        question = {
            "subscriber_id": subscriber_id,
            "type": role.lookup_type,
            "domain": domain,
            "country": scope.country,
            "city": scope.city,
        }
        records = await self._questions.ask("lookup", question | ({"pub_key_id": key_id} if key_id else {}))
        return [
            record
            for record in records
            if record.subscriber.id == subscriber_id
            and record.subscriber.role is role
            and (not key_id or record.key.id == key_id)
            and _is_in_scope(record.subscriber, domain, scope.country)
        ]


def _is_in_scope(subscriber: Subscriber, domain: str, country: str) -> bool:
    # A row that names no domain or country restricts nothing; one that names another was not asked for.
    as_listed = Subscriber(
        subscriber.id,
        subscriber.role,
        subscriber.url,
        country=subscriber.country or country,
        domains=subscriber.domains or (domain,),
    )
    return is_registered_for(as_listed, domain=domain, country=country)


__all__ = ["LONGEST_PROVIDER_LIST", "LookupScope", "NetworkRegistry", "RegistryAccess"]
