"""A registry in memory: what tests, the development network and the registry server itself ask.

Implements `ports.Registry` and `ports.ProviderDirectory`; filled by code or by `yaml_file`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uhi.errors import Refusal, SetupError
from uhi.faults import SUBSCRIBER_UNKNOWN
from uhi.subscribers import SUBSCRIBED, KeyRef, Record, Role, Subscriber, SubscriberKey

EVERYTHING = "*"
"""A domain or city that stands for all."""


@dataclass(frozen=True, slots=True)
class Member:
    """A registry entry with its keys; more than one while an old key and its successor overlap.

    `encryption_key` is the X25519 key of a Beckn peer, as base64; empty where there is none.
    """

    subscriber: Subscriber
    keys: tuple[SubscriberKey, ...]
    encryption_key: str = ""

    def __post_init__(self) -> None:
        ids = [key.id for key in self.keys]
        if len(set(ids)) != len(ids):
            raise SetupError(f"{self.subscriber.id} has two keys of one id", expected="ids that differ")


class MemoryRegistry:
    """Members by subscriber id and role. Not for threads. `seq` grows by one with every change, from `first_seq` on."""

    def __init__(self, members: Iterable[Member] = (), *, first_seq: int = 0) -> None:
        self._members: dict[tuple[str, Role], Member] = {}
        self._unlisted: set[tuple[str, Role]] = set()
        self._listed: tuple[Member, ...] | None = None
        self.seq = first_seq
        for member in members:
            self.add(member)

    def add(self, member: Member) -> None:
        """Add a member.

        Raises: SetupError when the subscriber is there already in that role.
        """
        if _place(member.subscriber) in self._members:
            raise SetupError(
                f"{member.subscriber.id} is there already as {member.subscriber.role.value}", next_step="replace it"
            )
        self.replace(member)

    def replace(self, member: Member, *, is_listed: bool = True) -> None:
        """Put a member in the place of the one with its id and role, or add it: new keys, another status or address.

        One that is not listed is found by its id alone.
        """
        place = _place(member.subscriber)
        self._members[place] = member
        (self._unlisted.discard if is_listed else self._unlisted.add)(place)
        self._listed = None
        self.seq += 1

    def remove(self, subscriber_id: str, role: Role) -> None:
        """Remove a member, if it is there."""
        if self._members.pop((subscriber_id, role), None) is not None:
            self._unlisted.discard((subscriber_id, role))
            self._listed = None
            self.seq += 1

    def members(self) -> tuple[Member, ...]:
        """Every member that is listed, ordered by id and role."""
        if self._listed is None:
            listed = (member for place, member in self._members.items() if place not in self._unlisted)
            self._listed = tuple(sorted(listed, key=_order))
        return self._listed

    def with_id(self, subscriber_id: str) -> tuple[Member, ...]:
        """The members of one subscriber, in each of its roles."""
        return tuple(member for role in Role if (member := self._members.get((subscriber_id, role))) is not None)

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """See `uhi.ports.Registry`; always as fresh as can be."""
        member = self._member(ref.subscriber_id, ref.role)
        for key in member.keys:
            if key.id == ref.key_id:
                return Record(member.subscriber, key)
        raise Refusal(
            SUBSCRIBER_UNKNOWN,
            f"{ref.subscriber_id} has no key {ref.key_id}",
            next_step="register the key, or correct its id",
        )

    async def subscriber(self, subscriber_id: str, role: Role) -> Subscriber:
        """See `uhi.ports.Registry`."""
        return self._member(subscriber_id, role).subscriber

    async def providers(self, domain: str, country: str) -> tuple[Subscriber, ...]:
        """See `uhi.ports.ProviderDirectory`; ordered by id."""
        subscribers = (member.subscriber for member in self.members())
        return tuple(each for each in subscribers if is_provider_for(each, domain=domain, country=country))

    def _member(self, subscriber_id: str, role: Role) -> Member:
        member = self._members.get((subscriber_id, role))
        if member is None:
            raise Refusal(
                SUBSCRIBER_UNKNOWN,
                f"the registry knows no {role.value} {subscriber_id}",
                next_step="register the subscriber, or correct its id",
            )
        return member


def is_provider_for(subscriber: Subscriber, *, domain: str, country: str) -> bool:
    """Whether a search in this domain and country concerns the subscriber: an active provider registered for both."""
    return (
        subscriber.role is Role.PROVIDER
        and subscriber.status == SUBSCRIBED
        and is_registered_for(subscriber, domain=domain, country=country)
    )


def is_registered_for(subscriber: Subscriber, *, domain: str, country: str) -> bool:
    """Whether an entry covers a domain and a country. Either is upper or lower case; `*` in the entry covers all."""
    domains = {each.lower() for each in subscriber.domains}
    return (domain.lower() in domains or EVERYTHING in domains) and subscriber.country.lower() == country.lower()


def _place(subscriber: Subscriber) -> tuple[str, Role]:
    return subscriber.id, subscriber.role


def _order(member: Member) -> tuple[str, str]:
    return member.subscriber.id, member.subscriber.role.value
