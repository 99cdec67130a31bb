"""What administrators, the operator and time decide about entries and keys.

Steps within one transaction. Above: `register`; below: the rows. Source: security rules "Registry and key rules", "IAM"
(two different administrators).
"""

from __future__ import annotations

from dataclasses import replace

from gateway.network_registry import challenge_rows, member_rows, pending_rows
from gateway.network_registry.joining import check_free, check_keys_free
from gateway.network_registry.standing import Pending, Standing
from gateway.network_registry.states import MOVES, Step
from gateway.network_registry.writing import Writing
from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING, STATE_REFUSED
from uhi.subscribers import EXPIRED, REVOKED, SUBSCRIBED, SUSPENDED, UNSUBSCRIBED

APPROVALS = 2
REVOKE_KEY = "revoke_key"
KEEP_UNPROVEN = 7 * 86_400.0
"""How long an application is kept whose proofs do not come."""

_KEEP_CHALLENGES = 86_400.0
_WITH_KEYS = frozenset({SUBSCRIBED, SUSPENDED})
_OVER = frozenset({REVOKED, UNSUBSCRIBED})


def review(writing: Writing, subscriber_id: str, seen: str) -> Standing:
    """Move an application on to its decision; see `Register.review`."""
    before = writing.standing(subscriber_id)
    to = MOVES.after(before.status, Step.REVIEW, writing.acting.kind)
    waiting = _proven(before, seen)
    _check_other_person(writing, waiting)
    check_free(writing, waiting.wanted)
    member_rows.put_status(writing.connection, before, to, now=writing.now)
    pending_rows.update_pending(writing.connection, replace(waiting, reviewed_by=writing.acting.actor))
    return writing.publish(before, subscriber_id, Step.REVIEW.value)


def approve(writing: Writing, subscriber_id: str, seen: str) -> Standing:
    """Approve what waits; see `Register.approve`."""
    before = writing.standing(subscriber_id)
    to = MOVES.after(before.status, Step.APPROVE, writing.acting.kind)
    waiting = _proven(before, seen)
    _check_other_person(writing, waiting)
    pending_rows.insert_approval(writing.connection, waiting, writing.acting.actor, now=writing.now)
    if len(waiting.approved_by) + 1 < APPROVALS:
        writing.note(Step.APPROVE.value, f"subscriber {subscriber_id}", reason="first approval")
        return writing.standing(subscriber_id)
    check_free(writing, waiting.wanted)
    check_keys_free(writing, subscriber_id, waiting.keys)
    wanted = replace(waiting.wanted, subscriber=replace(waiting.wanted.subscriber, status=to))
    member_rows.put_member(writing.connection, wanted, now=writing.now)
    member_rows.insert_keys(writing.connection, subscriber_id, waiting.keys, now=writing.now)
    pending_rows.drop_pending(writing.connection, subscriber_id)
    return writing.publish(before, subscriber_id, Step.APPROVE.value)


def decline(writing: Writing, subscriber_id: str, reason: str) -> Standing:
    """Turn down what waits; see `Register.decline`."""
    before = writing.standing(subscriber_id)
    to = MOVES.after(before.status, Step.DECLINE, writing.acting.kind)
    _pending(before)
    pending_rows.drop_pending(writing.connection, subscriber_id)
    if to == before.status:
        writing.note(Step.DECLINE.value, f"subscriber {subscriber_id}", reason=reason)
        return writing.standing(subscriber_id)
    member_rows.put_status(writing.connection, before, to, now=writing.now)
    return writing.publish(before, subscriber_id, Step.DECLINE.value, reason=reason)


def move(writing: Writing, subscriber_id: str, step: Step, reason: str) -> Standing:
    """Take a step that needs nothing but the state: suspend, resume, revoke, leave."""
    writing.check_own(subscriber_id)
    before = writing.standing(subscriber_id)
    to = MOVES.after(before.status, step, writing.acting.kind)
    if to in _OVER:
        member_rows.end_keys(writing.connection, subscriber_id, now=writing.now)
        pending_rows.drop_pending(writing.connection, subscriber_id)
    member_rows.put_status(writing.connection, before, to, now=writing.now)
    return writing.publish(before, subscriber_id, step.value, reason=reason)


def revoke_key(writing: Writing, subscriber_id: str, key_id: str, reason: str) -> Standing:
    """Put an end to one key; see `Register.revoke_key`.

    A change that waits goes with it: the key may have been used by somebody else to ask for it.
    """
    if writing.acting.kind not in (ActorKind.PERSON, ActorKind.OPERATOR, ActorKind.SUBSCRIBER):
        raise Refusal(ACCESS_DENIED, f"{writing.acting.actor} may not revoke keys")
    writing.check_own(subscriber_id)
    before = writing.standing(subscriber_id)
    held = next((each for each in before.keys if each.key.id == key_id), None)
    if held is None:
        raise Refusal(RECORD_MISSING, f"{subscriber_id} has no key {key_id}")
    if held.revoked_at is not None:
        raise Refusal(STATE_REFUSED, f"key {key_id} of {subscriber_id} is revoked already")
    member_rows.end_keys(writing.connection, subscriber_id, now=writing.now, key_id=key_id)
    if before.pending is not None and before.pending.amends:
        pending_rows.drop_pending(writing.connection, subscriber_id)
    others = [each for each in before.keys if each is not held and each.can_become_active(writing.now)]
    if not others and before.status in _WITH_KEYS:
        member_rows.put_status(writing.connection, before, EXPIRED, now=writing.now)
    return writing.publish(before, subscriber_id, REVOKE_KEY, reason=reason)


def expire(writing: Writing) -> int:
    """Mark whose keys have run out, forget old challenges and unproven applications; see `Register.expire`."""
    challenge_rows.forget_before(writing.connection, writing.now - _KEEP_CHALLENGES)
    over = member_rows.run_out(writing.connection, _WITH_KEYS, now=writing.now)
    for before in over:
        to = MOVES.after(before.status, Step.EXPIRE, writing.acting.kind)
        pending_rows.drop_pending(writing.connection, before.id)
        member_rows.put_status(writing.connection, before, to, now=writing.now)
        writing.publish(before, before.id, Step.EXPIRE.value)
    for before in member_rows.applied_before(writing.connection, writing.now - KEEP_UNPROVEN):
        if before.pending is None or before.pending.unproven:
            writing.forget(before, Step.EXPIRE.value, reason="never proven")
    return len(over)


def _pending(standing: Standing) -> Pending:
    if standing.pending is None:
        raise Refusal(STATE_REFUSED, f"nothing of {standing.id} waits")
    return standing.pending


def _proven(standing: Standing, seen: str) -> Pending:
    waiting = _pending(standing)
    if seen not in ("", waiting.id):
        raise Refusal(STATE_REFUSED, f"something else of {standing.id} waits by now", next_step="look at it again")
    if waiting.unproven:
        raise Refusal(
            STATE_REFUSED,
            f"{standing.id} has not proven everything",
            got=f"missing: {', '.join(waiting.unproven)}",
            expected="every key answered for, and the site's line in its place",
        )
    return waiting


def _check_other_person(writing: Writing, waiting: Pending) -> None:
    """Nobody decides about what they submitted, and nobody counts twice."""
    if writing.acting.actor in (waiting.submitted_by, waiting.reviewed_by, *waiting.approved_by):
        raise Refusal(
            ANOTHER_PERSON_REQUIRED,
            f"{writing.acting.actor} has had a part in this already",
            expected="a person who has not submitted, reviewed or approved it",
        )
