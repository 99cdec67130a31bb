"""Self-service at the registry: apply, answer a challenge, add and end keys, leave, ask how things stand.

Every errand is signed by a key of the subscriber itself and touches its own entry alone. Below: `Register`, the doors;
above: `bootstrap`. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.network_registry.applications import read_application, read_keys
from gateway.network_registry.counters import telling
from gateway.network_registry.entrance import Answered, Counter, Site
from gateway.network_registry.errands import KEYS, ON_SUBSCRIBE, REVOKE_KEY, SUBSCRIBE, SUBSCRIPTION, UNSUBSCRIBE
from gateway.network_registry.proofs import Proofs
from gateway.network_registry.register import Register
from gateway.network_registry.standing import Pending, Proof, Standing, key_json, particulars_json
from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.exchange import Trust, authenticate
from uhi.exchange.credentials import check_http, check_times, read_credentials
from uhi.exchange.opened import parse_body
from uhi.exchange.rates import place_of
from uhi.faults import CHALLENGE_FAILED, RATE_LIMITED, RECORD_MISSING, REPLAYED, SIGNER_NOT_SENDER
from uhi.legs import Leg
from uhi.messages.wire import Wire
from uhi.ports import Inbound, Registry, Windows
from uhi.registry.rows import moment_text
from uhi.signing import PublicKey, SignatureHeader
from uhi.subscribers import INITIATED, UNDER_REVIEW, KeyRef, SubscriberKey
from uhi.verified import Signed

M = TypeVar("M", bound=Wire)

ERRANDS_PER_MINUTE = 10
_MINUTE = 60
_LONGER_THAN_ANY_SIGNATURE = 3_700
_BECKN_WAITING = "UNDER_SUBSCRIPTION"
_OWN_WISH = "asked for by the subscriber"


@dataclass(frozen=True, slots=True)
class Desk:
    """Does the errands, and has the proofs asked for, without waiting for them.

    From one address at most `per_minute` of each errand are taken, counted in `windows`.
    """

    site: Site
    register: Register
    proofs: Proofs
    windows: Windows
    per_minute: int = ERRANDS_PER_MINUTE

    def counters(self) -> Mapping[str, Counter]:
        """UHI's paths."""
        return {
            **self.beckn_counters(),
            KEYS.path: Counter(KEYS, self.add_keys),
            REVOKE_KEY.path: Counter(REVOKE_KEY, self.revoke_key),
            UNSUBSCRIBE.path: Counter(UNSUBSCRIBE, self.leave),
            SUBSCRIPTION.path: Counter(SUBSCRIPTION, self.tell),
        }

    def beckn_counters(self) -> Mapping[str, Counter]:
        """Those that Beckn has as well, served at the root too."""
        return {
            SUBSCRIBE.path: Counter(SUBSCRIBE, self.apply),
            ON_SUBSCRIBE.path: Counter(ON_SUBSCRIBE, self.prove),
        }

    async def apply(self, inbound: Inbound) -> Answered:
        """Apply, or ask for a change of one's entry."""
        form, header = await self._peek(inbound, SUBSCRIBE)
        application = read_application(form, self.register.rules, now=self.site.clock.now())
        signers = self.register.signers_of(application)
        asked = await self._authenticate(inbound, SUBSCRIBE, header, signers)
        with telling(asked.sender.id):
            acting = _acting(asked.sender.id, inbound)
            standing = await self.register.apply(application, signed_with=signers.signed_with, acting=acting)
        self.proofs.begin(standing.id)
        value = _receipt(standing)
        if application.is_flat and value["status"] in (INITIATED, UNDER_REVIEW):
            value["status"] = _BECKN_WAITING
        return Answered(standing.id, value)

    async def prove(self, inbound: Inbound) -> Answered:
        """Answer a challenge late, signed with the very key that is to be proven."""
        form, header = await self._peek(inbound, ON_SUBSCRIBE)
        asked = await self._authenticate(inbound, ON_SUBSCRIBE, header, await self._waiting(form.subscriber_id))
        with telling(asked.sender.id):
            if header.key_id != form.key_id:
                raise Refusal(CHALLENGE_FAILED, f"{form.subscriber_id} signed with another key than the one to prove")
            proof = Proof(
                challenge_id=form.challenge_id,
                subscriber_id=form.subscriber_id,
                key_id=form.key_id,
                signature=form.signature,
                answer=form.answer,
            )
            standing = await self.register.prove(proof, acting=_acting(asked.sender.id, inbound))
        return Answered(standing.id, _receipt(standing))

    async def add_keys(self, inbound: Inbound) -> Answered:
        """Offer further keys; they wait until they are proven and approved."""
        form, header = await self._peek(inbound, KEYS)
        subscriber_id, keys = read_keys(form, self.register.rules, now=self.site.clock.now())
        asked = await self._own(inbound, KEYS, header, subscriber_id)
        with telling(asked.sender.id):
            standing = await self.register.add_keys(
                subscriber_id,
                keys,
                signed_with=await self._key(asked, header),
                acting=_acting(asked.sender.id, inbound),
            )
        self.proofs.begin(subscriber_id)
        return Answered(subscriber_id, _receipt(standing))

    async def revoke_key(self, inbound: Inbound) -> Answered:
        """End one of one's keys, at once."""
        form, header = await self._peek(inbound, REVOKE_KEY)
        asked = await self._own(inbound, REVOKE_KEY, header, form.subscriber_id)
        with telling(asked.sender.id):
            acting = _acting(asked.sender.id, inbound)
            standing = await self.register.revoke_key(asked.sender.id, form.key_id, reason=_OWN_WISH, acting=acting)
        return Answered(standing.id, _receipt(standing))

    async def leave(self, inbound: Inbound) -> Answered:
        """Leave the network."""
        form, header = await self._peek(inbound, UNSUBSCRIBE)
        asked = await self._own(inbound, UNSUBSCRIBE, header, form.subscriber_id)
        with telling(asked.sender.id):
            standing = await self.register.unsubscribe(asked.sender.id, acting=_acting(asked.sender.id, inbound))
        return Answered(standing.id, _receipt(standing))

    async def tell(self, inbound: Inbound) -> Answered:
        """What the registry holds about who asks, and what is still missing; missing proofs are asked for again.

        The one path that is open to who is suspended or expired, who learns why.
        """
        form, _ = await self._peek(inbound, SUBSCRIPTION)
        keys = await self.register.signers_of_standing(form.subscriber_id)
        asked = await authenticate(inbound, SUBSCRIPTION, self._trust(keys or self.site.members))
        with telling(asked.sender.id):
            _check_own(asked, form.subscriber_id)
            standing = await self.register.standing(asked.sender.id)
        is_unproven = standing.pending is not None and bool(standing.pending.unproven)
        problems = list(self.proofs.problems(standing.id)) if is_unproven else []
        if is_unproven and form.retry:
            self.proofs.begin(standing.id)
        told = {"problems": problems, "reason": await self.register.reason(standing)}
        return Answered(standing.id, _receipt(standing) | _details(standing) | told)

    async def _peek(self, inbound: Inbound, leg: Leg[M]) -> tuple[M, SignatureHeader]:
        """The body and the signature header, before either is believed: whose keys count stands in the body."""
        place = place_of(inbound.address)
        wait = await self.windows.hit(f"{leg.path} {place}", most=self.per_minute, seconds=_MINUTE)
        if wait > 0:
            refusal = Refusal(
                RATE_LIMITED, f"too many of {leg.path} from one address", expected=f"at most {self.per_minute} a minute"
            )
            refusal.retry_after = int(wait) + 1
            raise refusal
        check_http(inbound, leg.limits)
        credentials = read_credentials(inbound, sender_required=True)
        check_times(credentials, now=self.site.clock.now(), window=self.site.trust.window)
        message, _, _ = parse_body(inbound.body, leg)
        if message is None or credentials.sender is None:
            raise Refusal(SIGNER_NOT_SENDER)
        return message, credentials.sender.header

    async def _authenticate(self, inbound: Inbound, leg: Leg[M], header: SignatureHeader, keys: Registry) -> Signed[M]:
        asked = await authenticate(inbound, leg, self._trust(keys))
        # What is signed once is done once: an errand caught on the way must not be run again later.
        signature = f"signature {header.signature.hex()}"
        if await self.windows.hit(signature, most=1, seconds=_LONGER_THAN_ANY_SIGNATURE):
            with telling(asked.sender.id):
                raise Refusal(REPLAYED, "a signature header came twice", next_step="sign every attempt anew")
        return asked

    def _trust(self, keys: Registry) -> Trust:
        return replace(self.site.trust, registry=keys)

    async def _own(self, inbound: Inbound, leg: Leg[M], header: SignatureHeader, subscriber_id: str) -> Signed[M]:
        asked = await self._authenticate(inbound, leg, header, self.site.members)
        with telling(asked.sender.id):
            _check_own(asked, subscriber_id)
        return asked

    async def _waiting(self, subscriber_id: str) -> Registry:
        try:
            return await self.register.signers_of_proof(subscriber_id)
        except Refusal as refusal:
            if refusal.fault is not RECORD_MISSING:
                raise
        raise Refusal(CHALLENGE_FAILED, "nothing of this subscriber waits to be proven")

    async def _key(self, asked: Signed[M], header: SignatureHeader) -> PublicKey:
        record = await self.site.members.record(KeyRef(asked.sender.id, header.key_id, asked.sender.role))
        return record.key.public


def _acting(subscriber_id: str, inbound: Inbound) -> Acting:
    return Acting(actor=subscriber_id, kind=ActorKind.SUBSCRIBER, address=inbound.address)


def _check_own(asked: Signed[M], subscriber_id: str) -> None:
    if asked.sender.id != subscriber_id:
        raise Refusal(SIGNER_NOT_SENDER, f"{asked.sender.id} asks for somebody else", path="$.subscriber_id")


def _receipt(standing: Standing) -> dict[str, object]:
    return {
        "message": {"ack": {"status": "ACK"}},
        "error": {},
        "subscriber_id": standing.id,
        "status": standing.status,
        "missing": list(standing.missing),
    }


def _details(standing: Standing) -> dict[str, object]:
    details: dict[str, object] = {
        "particulars": particulars_json(standing.particulars),
        "keys": [{**_key_row(held.key), "revoked": held.revoked_at is not None} for held in standing.keys],
    }
    if standing.pending is not None:
        details["pending"] = _pending(standing.pending)
    return details


def _pending(pending: Pending) -> dict[str, object]:
    return {
        "particulars": particulars_json(pending.wanted),
        "keys": [_key_row(key) for key in pending.keys],
        "submitted_at": moment_text(pending.submitted_at),
        "is_change": pending.amends,
    }


def _key_row(key: SubscriberKey) -> dict[str, object]:
    return key_json(key) | {"valid_from": moment_text(key.valid_from), "valid_until": moment_text(key.valid_until)}
