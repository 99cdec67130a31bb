"""The network's registry over HTTP: signed lookups, answers filtered by what was asked, remembered for a short time.

Implements `ports.Registry` and `ports.ProviderDirectory`. Below: `cache`, `rows`, the Transport port.
Source: UHI `networkregistry/lookup`; `lookup/providers` is this network's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from uhi import strict_json
from uhi.errors import (
    RECORD_UNKNOWN,
    REGISTRY_AWAY,
    SUBSCRIBER_UNKNOWN,
    DeliveryError,
    Refusal,
    RegistryError,
)
from uhi.exchange.stamps import Stamps
from uhi.messages.lookup import read_lookup_answer
from uhi.ports import Clock, Reply, Transport
from uhi.registry.budget import LookupBudget
from uhi.registry.cache import DEFAULT_TIMES, CacheTimes, LookupCache
from uhi.registry.memory import is_provider_for, is_registered_for
from uhi.registry.rows import choose, join, read_rows
from uhi.signing import body_digest
from uhi.strict_json import JsonLimits
from uhi.subscribers import SUBSCRIBED, KeyRef, Record, Role, Subscriber

LONGEST_PROVIDER_LIST = 8 * 1024 * 1024
"""Bytes that the answer to a search for providers may have: the transport that asks must take as much."""

_LIMITS = JsonLimits(nodes=250_000)
_LATER = 5


@dataclass(frozen=True, slots=True)
class LookupScope:
    """What a lookup must name beside the subscriber: registries find nothing when one is missing.

    A subscriber is looked for in each of the domains in turn, until it is found active.
    """

    domains: tuple[str, ...]
    country: str = "IND"
    city: str = "std:011"


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """The way to a registry: its base URL (`…/networkregistry`), our signatures, what we ask for, seconds to wait."""

    url: str
    stamps: Stamps
    scope: LookupScope
    timeout: float = 3.0


class NetworkRegistry:
    """What the network's registry says, for a while from memory; see `CacheTimes`.

    Keys, subscribers and domains never seen are looked up within a `LookupBudget` of each kind: made-up ones then cost
    refusals, not lookups. Keys that came with a list of providers need no lookup of their own.
    """

    def __init__(
        self, access: RegistryAccess, *, transport: Transport, clock: Clock, times: CacheTimes = DEFAULT_TIMES
    ) -> None:
        self._access = access
        self._transport = transport
        self._clock = clock
        self._records = LookupCache(self._ask_record, clock=clock, times=times, budget=LookupBudget(clock))
        self._subscribers = LookupCache(self._ask_subscriber, clock=clock, times=times, budget=LookupBudget(clock))
        self._answered_at: float | None = None
        self._renewed: Callable[[str], None] = lambda subscriber_id: None
        self._providers = LookupCache(
            self._ask_providers, clock=clock, times=times, budget=LookupBudget(clock), size=1_000
        )

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """See `uhi.ports.Registry`."""
        before = self._records.peek(ref) if fresh else None
        record = await self._records.get(ref, fresh=fresh)
        if before is not None and record.key != before.key:
            self._renewed(ref.subscriber_id)
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
        return self._answered_at

    def on_renewed(self, told: Callable[[str], None]) -> None:
        """Have others told when a subscriber turns out to have another key than the one in memory."""
        self._renewed = told

    def forget(self, subscriber_id: str) -> None:
        """What is cached of a subscriber may be out of date: ask again at the next need."""
        self._records.drop(lambda ref: ref.subscriber_id == subscriber_id)
        self._subscribers.drop(lambda place: place[0] == subscriber_id)

    async def aclose(self) -> None:
        """Give up the lookups in flight."""
        for cache in (self._records, self._subscribers, self._providers):
            await cache.aclose()

    async def _ask_record(self, ref: KeyRef) -> Record:
        records = await self._lookup(ref.subscriber_id, ref.role, ref.key_id)
        record = self._best(records)
        if record is None:
            raise _unknown(f"key {ref.key_id} of {ref.role.value} {ref.subscriber_id}")
        self._subscribers.put((ref.subscriber_id, ref.role), record.subscriber)
        return record

    async def _ask_subscriber(self, place: tuple[str, Role]) -> Subscriber:
        subscriber_id, role = place
        record = self._best(await self._lookup(subscriber_id, role))
        if record is None:
            raise _unknown(f"{role.value} {subscriber_id}")
        return record.subscriber

    async def _ask_providers(self, place: tuple[str, str]) -> tuple[Subscriber, ...]:
        domain, country = place
        records = await self._post("lookup/providers", {"domain": domain, "country": country})
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
        for domain in self._access.scope.domains:
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
        scope = self._access.scope
        question = {
            "subscriber_id": subscriber_id,
            "type": role.lookup_type,
            "domain": domain,
            "country": scope.country,
            "city": scope.city,
        }
        records = await self._post("lookup", question | ({"pub_key_id": key_id} if key_id else {}))
        return [
            record
            for record in records
            if record.subscriber.id == subscriber_id
            and record.subscriber.role is role
            and (not key_id or record.key.id == key_id)
            and _is_in_scope(record.subscriber, domain, scope.country)
        ]

    async def _post(self, path: str, question: Mapping[str, str]) -> list[Record]:
        access = self._access
        body = strict_json.write(question)
        digest = body_digest(body)
        headers = {
            "Content-Type": "application/json",
            "Digest": f"BLAKE-512={digest}",
            "Authorization": access.stamps.header(digest, receiver=access.url, now=self._clock.now()),
        }
        try:
            reply = await self._transport.post(
                f"{access.url}/{path}", body=body, headers=headers, timeout=access.timeout
            )
        except DeliveryError as error:
            raise _away(str(error)) from None
        records = _read(reply)
        self._answered_at = self._clock.now()
        return records


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


def _read(reply: Reply) -> list[Record]:
    if reply.status == RECORD_UNKNOWN.status:
        return []
    value = _json(reply)
    # Registries in use say "nobody" as a failure of their own, or as a NACK with status 200.
    code = _error_code(value)
    if code == RECORD_UNKNOWN.code:
        return []
    if reply.status not in (200, 201) or code:
        raise _away(
            "the registry refused the lookup" if reply.status in (401, 403) else "the registry failed",
            got=f"HTTP {reply.status} {code}".strip(),
            next_step="check that our own key is registered and the clock is right" if reply.status == 401 else "",
        )
    try:
        return read_rows(read_lookup_answer(value))
    except RegistryError as error:
        raise _away(str(error)) from None


def _json(reply: Reply) -> object:
    try:
        return strict_json.parse(reply.body, _LIMITS)
    except Refusal as refusal:
        raise _away("the registry's answer cannot be read", got=f"HTTP {reply.status}: {refusal.what}") from None


def _error_code(value: object) -> str:
    error = value.get("error") if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code[:64] if isinstance(code, str) and code.isprintable() else ""


def _unknown(whom: str) -> Refusal:
    return Refusal(
        SUBSCRIBER_UNKNOWN, f"the registry knows no {whom}", next_step="register the key, or correct the ids"
    )


def _away(what: str, *, got: str = "", next_step: str = "") -> Refusal:
    refusal = Refusal(REGISTRY_AWAY, what, got=got, next_step=next_step)
    refusal.retry_after = _LATER
    return refusal
