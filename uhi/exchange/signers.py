"""Steps 4 and 5 of a door: who signed, may they, and does the signature hold.

Asks the registry port; everything else is a decision on values. Source: decision "The doors", registry rules.
"""

from __future__ import annotations

from uhi.errors import Refusal
from uhi.exchange.credentials import Credential, blaming_gateway
from uhi.exchange.trust import Trust
from uhi.faults import ROLE_NOT_ALLOWED, SIGNATURE_INVALID, SUBSCRIBER_UNKNOWN
from uhi.ports import Registry
from uhi.signing import SignatureHeader
from uhi.signing.verify import verify_digest
from uhi.subscribers import KeyRef, Record, Role, Subscriber

_PARTIES = (Role.CONSUMER, Role.PROVIDER, Role.GATEWAY)


async def known_signer(header: SignatureHeader, roles: tuple[Role, ...], trust: Trust) -> Record:
    """Step 4: the active registry record that a header names; its signature is not looked at.

    Raises: Refusal(SUBSCRIBER_UNKNOWN, KEY_INACTIVE, ROLE_NOT_ALLOWED, REGISTRY_AWAY).
    """
    record = await _find(header.subscriber_id, header.key_id, roles, trust.registry)
    record.check_active(trust.clock.now())
    record.check_covers(header)
    return record


async def signer(credential: Credential, digest: str, roles: tuple[Role, ...], trust: Trust) -> Record:
    """Steps 4 and 5: the active registry record of who made this signature over the body with this digest.

    Raises: Refusal(SUBSCRIBER_UNKNOWN, KEY_INACTIVE, ROLE_NOT_ALLOWED, SIGNATURE_INVALID, REGISTRY_AWAY).
    """
    header = credential.header
    record = await known_signer(header, roles, trust)
    return await check_signature(record, credential, digest, trust)


async def check_signature(record: Record, credential: Credential, digest: str, trust: Trust) -> Record:
    """Step 5; returns the record whose key it was, which is a newer one where the key has changed.

    Raises: Refusal(SIGNATURE_INVALID, KEY_INACTIVE, REGISTRY_AWAY).
    """
    header = credential.header
    try:
        verify_digest(digest, header, key=record.key.public, profile=record.key.profile)
    except Refusal as refusal:
        if refusal.fault is not SIGNATURE_INVALID:
            raise
        record = await _renewed(record, refusal, trust)
        record.check_covers(header)
        verify_digest(digest, header, key=record.key.public, profile=record.key.profile)
    return record


async def gateway_signer(credential: Credential, digest: str, trust: Trust) -> Record:
    """As `signer`, for the gateway's header."""
    with blaming_gateway():
        return await signer(credential, digest, (Role.GATEWAY,), trust)


async def _find(subscriber_id: str, key_id: str, roles: tuple[Role, ...], registry: Registry) -> Record:
    unknown: Refusal | None = None
    for role in roles:
        try:
            return await registry.record(KeyRef(subscriber_id, key_id, role))
        except Refusal as refusal:
            if refusal.fault is not SUBSCRIBER_UNKNOWN:
                raise
            unknown = refusal
    # A known subscriber in another role is told so (403): its operator then knows that the key is fine.
    for role in _PARTIES:
        if role not in roles and await _is_known(KeyRef(subscriber_id, key_id, role), registry):
            raise Refusal(
                ROLE_NOT_ALLOWED,
                f"{subscriber_id} may not send this",
                got=f"a {role.value}",
                expected=" or ".join(f"a {each.value}" for each in roles),
            )
    raise unknown or Refusal(SUBSCRIBER_UNKNOWN)


async def _is_known(ref: KeyRef, registry: Registry) -> bool:
    try:
        await registry.record(ref)
    except Refusal as refusal:
        if refusal.fault is SUBSCRIBER_UNKNOWN:
            return False
        raise
    return True


async def _renewed(record: Record, failure: Refusal, trust: Trust) -> Record:
    """The record asked for again past the cache, if its key has changed; else the failure stands."""
    ref = KeyRef(record.subscriber.id, record.key.id, record.subscriber.role)
    newer = await trust.registry.record(ref, fresh=True)
    if newer.key.public == record.key.public and newer.key.profile == record.key.profile:
        raise failure
    newer.check_active(trust.clock.now())
    return newer


async def named_sender(subscriber_id: str, role: Role, registry: Registry) -> Subscriber:
    """The registry's entry of a sender whose signature a gateway dropped, where the network allows that.

    Raises: Refusal(SUBSCRIBER_UNKNOWN, KEY_INACTIVE, REGISTRY_AWAY).
    """
    subscriber = await registry.subscriber(subscriber_id, role)
    subscriber.check_subscribed()
    return subscriber
