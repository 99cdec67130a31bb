"""Whom `authenticate()` asks when somebody signs who may not be a member yet: one request's own keys, and no others.

Implements `uhi.ports.Registry` for a single request. Above: the registry's entrance; below: `standing`.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.network_registry.standing import Standing
from uhi.errors import Refusal
from uhi.faults import SIGNATURE_MISSING, SUBSCRIBER_UNKNOWN
from uhi.registry.memory import Member
from uhi.signing import PublicKey
from uhi.subscribers import EXPIRED, SUBSCRIBED, KeyRef, Record, Role, Subscriber, SubscriberKey

_LONG_ENOUGH = 86_400.0


def own_keys(standing: Standing, *, now: float) -> tuple[SubscriberKey, ...]:
    """The keys with which somebody who takes part no longer may ask why: those of its entry, each within its validity,
    and of an expired entry the last one that was not revoked.
    """
    keys = {held.key.id: held.in_force for held in standing.keys}
    if standing.status == EXPIRED:
        left = [held.key for held in standing.keys if held.revoked_at is None]
        last = max(left, key=_end, default=None)
        if last is not None:
            keys[last.id] = replace(last, valid_until=max(last.valid_until, now + _LONG_ENOUGH))
    return tuple(keys.values())


def _end(key: SubscriberKey) -> float:
    return key.valid_until


class ApplicantRegistry:
    """Knows the keys of one subscriber: those it applies with, then those of the entry it may have.

    What it says proves possession of a key and nothing about membership: the signer counts as SUBSCRIBED for this one
    request, and `Register` decides by the key itself.
    """

    def __init__(self, applicant: Member, *entries: Member) -> None:
        self._subscriber = replace(applicant.subscriber, status=SUBSCRIBED)
        held = [key for entry in entries for key in entry.keys if entry.subscriber.status == SUBSCRIBED]
        self._keys: dict[str, SubscriberKey] = {key.id: key for key in (*held, *applicant.keys)}
        self._asked: PublicKey | None = None

    @property
    def signed_with(self) -> PublicKey:
        """The key that was asked for last: after `authenticate()` the one that made the signature.

        Raises: Refusal(SIGNATURE_MISSING) before anything was asked.
        """
        if self._asked is None:
            raise Refusal(SIGNATURE_MISSING)
        return self._asked

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """See `uhi.ports.Registry`."""
        key = self._keys.get(ref.key_id)
        if ref.subscriber_id != self._subscriber.id or ref.role is not self._subscriber.role or key is None:
            raise Refusal(
                SUBSCRIBER_UNKNOWN,
                f"{self._subscriber.id} neither has nor applies for key {ref.key_id}",
                next_step="sign with a key of the application, or with one in force",
            )
        self._asked = key.public
        return Record(self._subscriber, key)

    async def subscriber(self, subscriber_id: str, role: Role) -> Subscriber:
        """See `uhi.ports.Registry`."""
        if subscriber_id != self._subscriber.id or role is not self._subscriber.role:
            raise Refusal(SUBSCRIBER_UNKNOWN, f"the registry knows no {role.value} {subscriber_id}")
        return self._subscriber
