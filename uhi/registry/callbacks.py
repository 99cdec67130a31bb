"""What the registry sends us: news of its changes, and challenges to prove our keys. Heard from the pinned one alone.

A door of its own, without conversations: steps 1–6 by `authenticate`, with the pinned keys in place of lookups. Any
exception is caught here, as at every door. Above: composition roots; below: `changes`, signing. Source: decision 26.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from uhi import strict_json
from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.exchange import Trust, authenticate
from uhi.exchange.entrance import JSON, Ledger, Manners, unforeseen
from uhi.exchange.opened import check_head
from uhi.exchange.rates import Rates
from uhi.exchange.trust import RegistryTrust
from uhi.faults import CHALLENGE_EXPIRED, MESSAGE_INVALID, PATH_UNKNOWN, SUBSCRIBER_UNKNOWN
from uhi.legs import Urgency
from uhi.messages.receipt import ACK
from uhi.messages.wire import Wire
from uhi.ports import CallLog, Clock, Inbound, Reply
from uhi.registry.changes import Change, RegistryChanged, changes_of
from uhi.signing import UHI, Signer, Window
from uhi.signing.beckn_challenge import decrypt
from uhi.signing.challenge import CHALLENGE_SECONDS, Challenge, prove
from uhi.subscribers import KeyRef, Record, Role, Subscriber, SubscriberKey

_FOREVER = datetime(9998, 1, 1, tzinfo=UTC).timestamp()
_WINDOW = Window(future=5, lifetime=60)
_Text = Annotated[str, Field(strict=True, max_length=4_096)]


class OnSubscribe(Wire):
    """The registry's challenge to one of our keys; `challenge` is there for those who hold an encryption key too, and
    `encr_public_key` may be the registry's own."""

    subscriber_id: _Text
    registry_id: _Text
    key_id: _Text
    challenge_id: _Text
    nonce: _Text
    expires: Annotated[int, Field(strict=True)]
    challenge: _Text | None = None
    encr_public_key: _Text | None = None


def _leg(path: str, kind: type[Wire]) -> Leg[Wire]:
    return Leg(path, path, kind, (Role.REGISTRY,), Role.PROVIDER, urgency=Urgency.ASKED, has_context=False)


REGISTRY_CHANGED = _leg("registry_changed", RegistryChanged)
ON_SUBSCRIBE = _leg("on_subscribe", OnSubscribe)
_LEGS = {leg.path: leg for leg in (REGISTRY_CHANGED, ON_SUBSCRIBE)}


@dataclass(frozen=True, slots=True)
class PinnedRegistry:
    """Implements `uhi.ports.Registry` for one subscriber: the registry itself, by the keys known beforehand."""

    trust: RegistryTrust

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """See `uhi.ports.Registry`."""
        key = self.trust.keys.get(ref.key_id)
        if key is None or ref.subscriber_id != self.trust.registry_id or ref.role is not Role.REGISTRY:
            raise Refusal(SUBSCRIBER_UNKNOWN, "the signer is not the pinned registry", expected=self.trust.registry_id)
        registry = Subscriber(self.trust.registry_id, Role.REGISTRY, "")
        return Record(registry, SubscriberKey(ref.key_id, key, UHI, 0.0, _FOREVER))

    async def subscriber(self, subscriber_id: str, role: Role) -> Subscriber:
        """See `uhi.ports.Registry`."""
        raise Refusal(SUBSCRIBER_UNKNOWN, f"{subscriber_id} is not the pinned registry")


@dataclass(frozen=True, slots=True)
class Provable:
    """What we can prove to the pinned `registry`: that we are this subscriber, hold these signing keys and, where there
    is one, this X25519 key (base64; secret). `registry_encryption_key` is the registry's own, if known beforehand."""

    registry: RegistryTrust
    subscriber_id: str
    signers: tuple[Signer, ...]
    encryption_key: str = field(default="", repr=False)
    registry_encryption_key: str = ""


class RegistryCallbacks:
    """An `uhi.ports.Entrance` for the two paths; `changed` is told what the registry pushed."""

    def __init__(
        self,
        provable: Provable,
        changed: Callable[[tuple[Change, ...]], None],
        *,
        clock: Clock,
        log: CallLog,
        rates: Rates | None = None,
    ) -> None:
        self._pinned = provable.registry
        self._provable = provable
        self._changed = changed
        role = Role.CONSUMER  # of no weight: there is no conversation here
        pinned = PinnedRegistry(provable.registry)
        self._trust = Trust(provable.subscriber_id, role, pinned, clock, window=_WINDOW, rates=rates)
        self._ledger = Ledger(Manners(provable.subscriber_id), log, clock, logging.getLogger(__name__))

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, with the most bytes of a body."""
        return {path: leg.limits.body for path, leg in _LEGS.items()}

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """Refuse what can be refused before the body is there; see `uhi.ports.Entrance`."""
        started = self._trust.clock.now()
        try:
            await check_head(inbound, _leg_at(inbound.path), self._trust, size=size)
        except Refusal as refusal:
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            return self._ledger.refused(unforeseen(error), inbound, started)
        return None

    async def take(self, inbound: Inbound) -> Reply:
        """Hear one message of the registry; see `uhi.ports.Entrance`."""
        started = self._trust.clock.now()
        try:
            body = await self._heard(inbound)
        except Refusal as refusal:
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            return self._ledger.refused(unforeseen(error), inbound, started)
        self._ledger.write(inbound, started, (self._pinned.registry_id, "", ""), "ACK")
        return Reply(200, JSON, body)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._ledger.refused(refusal, Inbound(path, {}, b""), self._trust.clock.now())

    async def _heard(self, inbound: Inbound) -> bytes:
        signed = await authenticate(inbound, _leg_at(inbound.path), self._trust)
        if isinstance(signed.message, RegistryChanged):
            self._changed(changes_of(signed.message))
            return ACK
        if isinstance(signed.message, OnSubscribe):
            return strict_json.write(self._answer(signed.message))
        raise Refusal(PATH_UNKNOWN)

    def _answer(self, asked: OnSubscribe) -> dict[str, str]:
        challenge = Challenge(
            asked.registry_id, asked.subscriber_id, asked.key_id, asked.challenge_id, asked.nonce, asked.expires
        )
        signer = self._signer(challenge)
        answer = {"challenge_id": challenge.challenge_id, "signature": prove(challenge, signer.key)}
        if asked.challenge is None:
            return answer
        theirs = self._provable.registry_encryption_key or asked.encr_public_key or ""
        if not self._provable.encryption_key or not theirs:
            raise Refusal(
                MESSAGE_INVALID,
                "the encrypted challenge cannot be read here",
                expected="an encryption key of ours and one of the registry",
                next_step="set UHI_ENCRYPTION_KEY_FILE, or apply without an encryption key",
                path="$.challenge",
            )
        return answer | {"answer": decrypt(asked.challenge, self._provable.encryption_key, theirs)}

    def _signer(self, challenge: Challenge) -> Signer:
        """The key that is asked for, of ours, for a challenge that is addressed to us and of this moment."""
        if challenge.registry_id != self._pinned.registry_id:
            raise Refusal(MESSAGE_INVALID, "the challenge is another registry's", path="$.registry_id")
        if challenge.subscriber_id != self._provable.subscriber_id:
            raise Refusal(MESSAGE_INVALID, "the challenge is for another subscriber", path="$.subscriber_id")
        left = challenge.expires - self._trust.clock.now()
        if left < 0:
            raise Refusal(CHALLENGE_EXPIRED, f"the challenge expired {-left:.0f} s ago", path="$.expires")
        if left > CHALLENGE_SECONDS + _WINDOW.future:
            raise Refusal(
                MESSAGE_INVALID,
                "the challenge lives too long",
                got=f"{left:.0f} s",
                expected=f"at most {CHALLENGE_SECONDS} s",
                path="$.expires",
            )
        for signer in self._provable.signers:
            if signer.key_id == challenge.key_id:
                return signer
        raise Refusal(MESSAGE_INVALID, "the challenge is for a key that is not held here", path="$.key_id")


def _leg_at(path: str) -> Leg[Wire]:
    leg = _LEGS.get(path)
    if leg is None:
        raise Refusal(PATH_UNKNOWN)
    return leg
