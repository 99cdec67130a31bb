"""How an applicant shows that it holds its keys, reads its address, and owns its site.

Steps within one transaction. Above: `register`; below: the rows, `uhi.signing.challenge`.
Source: security rules "Registry and key rules" (challenge, answer, encryption-key proof).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from hashlib import sha256
from math import ceil
from urllib.parse import urlsplit

from gateway.network_registry import challenge_rows, pending_rows
from gateway.network_registry.challenge_rows import Asked
from gateway.network_registry.standing import Asking, Pending, Proof, Standing
from gateway.network_registry.writing import Writing
from uhi.audit import Outcome
from uhi.errors import Refusal
from uhi.faults import CHALLENGE_EXPIRED, CHALLENGE_FAILED, CHALLENGE_USED, RECORD_MISSING, TOO_MANY_TRIES
from uhi.signing import base64_text
from uhi.signing.beckn_challenge import encrypt
from uhi.signing.challenge import CHALLENGE_SECONDS, Challenge, check_proof
from uhi.signing.site import check_site
from uhi.subscribers import SubscriberKey

MOST_ROUNDS = 5
_AN_HOUR = 3_600
_NONCE_BYTES = 32
_DIGITS = 10**32


def ask(writing: Writing, subscriber_id: str) -> tuple[Asking, ...]:
    """A challenge for each key that is to be proven; see `Register.new_challenges`."""
    waiting = _waiting(writing.standing(subscriber_id))
    wanted = [key_id for key_id in waiting.to_prove if key_id not in waiting.proven]
    if not wanted:
        return ()
    rounds = challenge_rows.rounds_since(writing.connection, subscriber_id, writing.now - _AN_HOUR)
    if len(rounds) >= MOST_ROUNDS:
        wait = max(1, ceil(rounds[MOST_ROUNDS - 1] + _AN_HOUR - writing.now))
        what = f"{subscriber_id} was asked {MOST_ROUNDS} times within an hour"
        refusal = Refusal(TOO_MANY_TRIES, what, next_step=f"try again in {wait} s")
        refusal.retry_after = wait
        raise refusal
    made = [_made(writing, waiting, key_id) for key_id in wanted]
    challenge_rows.insert_challenges(writing.connection, [asked for asked, _ in made], now=writing.now)
    return tuple(Asking(waiting.wanted.subscriber.url, asked.challenge, encrypted) for asked, encrypted in made)


def prove(writing: Writing, proof: Proof) -> Standing | Refusal:
    """Take the answer to a challenge; see `Register.prove`. A wrong one is returned, so that it counts."""
    writing.check_own(proof.subscriber_id, CHALLENGE_FAILED)
    asked = challenge_rows.challenge(writing.connection, proof.challenge_id, registry_id=writing.rules.registry_id)
    if asked is None or not _is_about(asked, proof):
        raise Refusal(CHALLENGE_FAILED, f"{proof.subscriber_id} was not asked this")
    if asked.used_at is not None:
        raise Refusal(CHALLENGE_USED, next_step="apply again for a new challenge")
    standing = writing.standing(proof.subscriber_id)
    waiting = _waiting(standing)
    if asked.challenge.expires < writing.now or asked.pending_id != waiting.id:
        raise Refusal(CHALLENGE_EXPIRED, next_step="apply again for a new challenge")
    challenge_rows.use(writing.connection, proof.challenge_id, now=writing.now)
    about = f"subscriber {proof.subscriber_id} key {proof.key_id}"
    try:
        check_proof(asked.challenge, proof.signature, _key(standing, waiting, proof.key_id).public)
        _check_answer(asked, proof)
    except Refusal as refusal:
        writing.note("prove", about, outcome=Outcome.REFUSED, reason=refusal.fault.type)
        return refusal
    decrypted_at = writing.now if asked.answer else waiting.decrypted_at
    proven = waiting.proven | {proof.key_id}
    pending_rows.update_pending(writing.connection, replace(waiting, proven=proven, decrypted_at=decrypted_at))
    writing.note("prove", about)
    return writing.standing(proof.subscriber_id)


def take_site(writing: Writing, subscriber_id: str, page: str, host: str) -> Standing:
    """Take what stands at the subscriber's site; see `Register.site_checked`."""
    standing = writing.standing(subscriber_id)
    waiting = _waiting(standing)
    if urlsplit(waiting.wanted.subscriber.url).hostname != host:
        # Whoever answers slowly could name another host meanwhile, and have shown a line for that one.
        raise Refusal(CHALLENGE_EXPIRED, f"{subscriber_id} wants another host by now", next_step="look there")
    keys = standing.active_keys(writing.now) if waiting.amends else waiting.keys
    check_site(page.encode(), subscriber_id=subscriber_id, host=host, keys={key.id: key.public for key in keys})
    pending_rows.update_pending(writing.connection, replace(waiting, site_checked_at=writing.now))
    writing.note("check_site", f"subscriber {subscriber_id}")
    return writing.standing(subscriber_id)


def _made(writing: Writing, waiting: Pending, key_id: str) -> tuple[Asked, str]:
    challenge = Challenge(
        registry_id=writing.rules.registry_id,
        subscriber_id=waiting.wanted.subscriber.id,
        key_id=key_id,
        challenge_id=secrets.token_hex(16),
        nonce=base64_text.encode(secrets.token_bytes(_NONCE_BYTES)),
        expires=int(writing.now) + CHALLENGE_SECONDS,
    )
    if not waiting.needs_decryption:
        return Asked(waiting.id, challenge), ""
    text = f"{secrets.randbelow(_DIGITS):032}"
    encrypted = encrypt(text, writing.rules.encryption_key, waiting.wanted.encryption_key)
    return Asked(waiting.id, challenge, _digest(text)), encrypted


def _is_about(asked: Asked, proof: Proof) -> bool:
    return (proof.subscriber_id, proof.key_id) == (asked.challenge.subscriber_id, asked.challenge.key_id)


def _check_answer(asked: Asked, proof: Proof) -> None:
    if asked.answer and not hmac.compare_digest(asked.answer, _digest(proof.answer)):
        raise Refusal(
            CHALLENGE_FAILED,
            f"{proof.subscriber_id} did not prove that it holds its encryption key",
            expected="answer: the text of the challenge, decrypted",
        )


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _key(standing: Standing, waiting: Pending, key_id: str) -> SubscriberKey:
    keys = (*waiting.keys, *(held.key for held in standing.keys))
    return next(key for key in keys if key.id == key_id)


def _waiting(standing: Standing) -> Pending:
    if standing.pending is None:
        raise Refusal(RECORD_MISSING, f"nothing of {standing.id} waits to be proven")
    return standing.pending
