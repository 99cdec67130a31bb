"""How somebody gets in, and how a member's entry and keys change: what is taken, and what then waits.

Steps within one transaction. Above: `register`; below: the rows. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypedDict
from urllib.parse import urlsplit

from gateway.network_registry import member_rows, pending_rows
from gateway.network_registry.applications import Application
from gateway.network_registry.names import look_of
from gateway.network_registry.standing import NEVER_PROVEN, Particulars, Pending, Standing
from gateway.network_registry.states import MOVES, Step
from gateway.network_registry.writing import Writing
from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import ALREADY_TAKEN, KEY_INACTIVE, KEY_UNUSABLE, MESSAGE_INVALID, OVERLOADED, RECORD_MISSING
from uhi.identity.moves import ABSENT
from uhi.signing import PublicKey
from uhi.subscribers import INITIATED, SUBSCRIBED, SUSPENDED, UNDER_REVIEW, SubscriberKey

UNPROVEN_SECONDS = 86_400.0
"""How long an application that is not proven keeps its id from others."""

_ROOM_SECONDS = 3_600
_BEYOND_APPLYING = frozenset({UNDER_REVIEW, SUBSCRIBED, SUSPENDED})


class _Shown(TypedDict, total=False):
    proven: frozenset[str]
    decrypted_at: float | None
    site_checked_at: float | None


def apply(writing: Writing, application: Application, signed_with: PublicKey) -> Standing:
    """Take an application, or a member's change; see `Register.apply`."""
    subscriber_id = application.subscriber.id
    writing.check_own(subscriber_id)
    before = found(writing, subscriber_id)
    if before is not None and before.status == SUBSCRIBED:
        return _amend(writing, before, application, signed_with)
    to = MOVES.after(before.status if before else ABSENT, Step.APPLY, writing.acting.kind)
    if signed_with.raw not in {key.public.raw for key in application.keys}:
        raise Refusal(KEY_INACTIVE, "the application is not signed with one of its own keys")
    if before is not None:
        if _is_same(before, application, signed_with):
            return before
        _check_hands(writing, before, signed_with)
        _check_same_host(before, application)
    _check_room(writing, before)
    check_free(writing, application.particulars)
    check_keys_free(writing, subscriber_id, application.keys)
    particulars = application.particulars
    particulars = replace(particulars, subscriber=replace(particulars.subscriber, status=to))
    member_rows.put_member(writing.connection, particulars, now=writing.now)
    pending_rows.put_pending(
        writing.connection,
        Pending(
            id=new_row_id(writing.now),
            wanted=particulars,
            keys=application.keys,
            amends=False,
            signed_with=signed_with.raw_base64(),
            submitted_by=writing.acting.actor,
            submitted_at=_since(before, signed_with, now=writing.now),
            to_prove=tuple(key.id for key in application.keys),
            needs_site=not writing.rules.is_local,
            needs_decryption=bool(particulars.encryption_key),
            **_shown_before(before, application, signed_with),
        ),
    )
    return writing.publish(before, subscriber_id, Step.APPLY.value)


def add_keys(writing: Writing, subscriber_id: str, keys: Sequence[SubscriberKey], signed_with: PublicKey) -> Standing:
    """Take a member's further keys; see `Register.add_keys`."""
    writing.check_own(subscriber_id)
    before = writing.standing(subscriber_id)
    return _amend(writing, before, Application(before.particulars, tuple(keys)), signed_with)


def admit(writing: Writing, particulars: Particulars, keys: Sequence[SubscriberKey]) -> Standing:
    """Enter a member at the operator's word; see `Register.admit`."""
    subscriber = particulars.subscriber
    before = found(writing, subscriber.id)
    to = MOVES.after(before.status if before else ABSENT, Step.ADMIT, writing.acting.kind)
    check_free(writing, particulars)
    check_keys_free(writing, subscriber.id, keys)
    member_rows.put_member(
        writing.connection, replace(particulars, subscriber=replace(subscriber, status=to)), now=writing.now
    )
    member_rows.insert_keys(writing.connection, subscriber.id, keys, now=writing.now)
    return writing.publish(before, subscriber.id, Step.ADMIT.value)


def found(writing: Writing, subscriber_id: str) -> Standing | None:
    """How a subscriber stands, None for whom the registry does not know."""
    try:
        return writing.standing(subscriber_id)
    except Refusal as refusal:
        if refusal.fault is not RECORD_MISSING:
            raise
        return None


def check_free(writing: Writing, particulars: Particulars) -> None:
    """Whether nobody else has an id that looks the same, or the address. Whoever only applied has neither yet.

    Raises: Refusal(ALREADY_TAKEN).
    """
    subscriber = particulars.subscriber
    is_ours = look_of(subscriber.id) == look_of(writing.rules.registry_id)
    if is_ours and writing.acting.kind is not ActorKind.OPERATOR:
        raise _taken("an id that looks like this registry's", next_step="choose another id")
    if member_rows.ids_like(writing.connection, subscriber.id, _BEYOND_APPLYING):
        raise _taken("an id that looks like this one", next_step="choose an id that cannot be mistaken for another")
    if member_rows.ids_at(writing.connection, subscriber.url, subscriber.id, _BEYOND_APPLYING):
        raise _taken("this callback address", next_step="give each subscriber an address of its own")


def check_keys_free(writing: Writing, subscriber_id: str, keys: Iterable[SubscriberKey]) -> None:
    """Whether these keys and their ids are new.

    Raises: Refusal(KEY_UNUSABLE) for a key that is or was somebody's; Refusal(ALREADY_TAKEN) for an id used before.
    """
    before = found(writing, subscriber_id)
    used = {held.key.id for held in before.keys} if before else set()
    for key in keys:
        if member_rows.holder_of_key(writing.connection, key.public) is not None:
            raise Refusal(
                KEY_UNUSABLE,
                f"key {key.id} is registered already, or was",
                expected="a key that no subscriber has or had",
                next_step="make a new key pair",
            )
        if key.id in used:
            raise _taken(f"the key id {key.id}", next_step="give each new key a new id")


def _amend(writing: Writing, before: Standing, application: Application, signed_with: PublicKey) -> Standing:
    subscriber_id = before.id
    signers = {key.public.raw: key.id for key in before.active_keys(writing.now)}
    if signed_with.raw not in signers:
        raise _taken("this id", next_step="sign with one of its keys in force")
    MOVES.after(before.status, Step.AMEND, writing.acting.kind)
    held = {(each.key.id, each.key.public.raw) for each in before.keys if each.revoked_at is None}
    keys = tuple(key for key in application.keys if (key.id, key.public.raw) not in held)
    wanted, now_is = application.particulars, before.particulars
    if wanted.subscriber.role is not now_is.subscriber.role:
        raise Refusal(MESSAGE_INVALID, f"{subscriber_id} has another role", path="$.type")
    wanted = replace(wanted, subscriber=replace(wanted.subscriber, status=before.status))
    if wanted == now_is and not keys:
        return before
    check_free(writing, wanted)
    check_keys_free(writing, subscriber_id, keys)
    moves = wanted.subscriber.url != now_is.subscriber.url
    asks = bool(wanted.encryption_key) and wanted.encryption_key != now_is.encryption_key
    shown = (signers[signed_with.raw],) if (moves or asks) and not keys else ()
    waiting = Pending(
        id=new_row_id(writing.now),
        wanted=wanted,
        keys=keys,
        amends=True,
        signed_with=signed_with.raw_base64(),
        submitted_by=writing.acting.actor,
        submitted_at=writing.now,
        to_prove=(*(key.id for key in keys), *shown),
        needs_site=not writing.rules.is_local,
        needs_decryption=asks,
    )
    if before.pending is not None and _is_again(before.pending, waiting):
        return before
    pending_rows.put_pending(writing.connection, waiting)
    writing.note(Step.AMEND.value, f"subscriber {subscriber_id}")
    return writing.standing(subscriber_id)


def _check_hands(writing: Writing, before: Standing, signed_with: PublicKey) -> None:
    """Who applied first has the id, until it shows for a day that it cannot prove anything."""
    waiting = before.pending
    if waiting is None or waiting.signed_with == signed_with.raw_base64():
        return
    is_stale = before.status == INITIATED and writing.now - waiting.submitted_at > UNPROVEN_SECONDS
    if not is_stale or not waiting.unproven:
        raise _taken("this id", next_step="choose another, or sign with the key that applied for it")


def _check_same_host(before: Standing, application: Application) -> None:
    """An id that was a member's is given again at the same host only, which the proofs then show to be theirs."""
    if before.keys and _host_of(before) != urlsplit(application.subscriber.url).hostname:
        raise _taken("this id", next_step="apply with an address at the host that the id was registered at")


def _check_room(writing: Writing, before: Standing | None) -> None:
    """Whether one more can be waited for who never was a member."""
    if before is not None and (before.was_member or before.status in NEVER_PROVEN):
        return
    if member_rows.count_applicants(writing.connection) >= writing.rules.most_applicants:
        refusal = Refusal(
            OVERLOADED,
            "as many applicants wait as the registry takes",
            next_step="apply again later, or ask the network's operator",
        )
        refusal.retry_after = _ROOM_SECONDS
        raise refusal


def _shown_before(before: Standing | None, application: Application, signed_with: PublicKey) -> _Shown:
    """What of a corrected application need not be shown again: the keys that stay as they are, at the same address,
    by the same hands; and the site, whose line is by one of the keys, where all of them stay."""
    waiting = before.pending if before else None
    if waiting is None or waiting.amends or waiting.signed_with != signed_with.raw_base64():
        return {}
    wanted, asked = waiting.wanted, application.particulars
    if (wanted.subscriber.url, wanted.encryption_key) != (asked.subscriber.url, asked.encryption_key):
        return {}
    earlier = {(key.id, key.public.raw) for key in waiting.keys}
    stay = {key.id for key in application.keys if (key.id, key.public.raw) in earlier}
    return {
        "proven": waiting.proven & stay,
        "decrypted_at": waiting.decrypted_at if waiting.proven & stay else None,
        "site_checked_at": waiting.site_checked_at if len(stay) == len(earlier) else None,
    }


def _host_of(standing: Standing) -> str | None:
    return urlsplit(standing.particulars.subscriber.url).hostname


def _since(before: Standing | None, signed_with: PublicKey, *, now: float) -> float:
    """Since when it waits. A correction begins no new day, or an id could be kept for ever without a proof."""
    waiting = before.pending if before else None
    is_corrected = waiting is not None and waiting.unproven and waiting.signed_with == signed_with.raw_base64()
    return waiting.submitted_at if waiting is not None and is_corrected else now


def _is_same(before: Standing, application: Application, signed_with: PublicKey) -> bool:
    waiting = before.pending
    if waiting is None or waiting.signed_with != signed_with.raw_base64():
        return False
    wanted, asked = waiting.wanted, application.particulars
    return replace(asked, subscriber=replace(asked.subscriber, status=wanted.subscriber.status)) == wanted and (
        waiting.keys == application.keys
    )


def _is_again(waiting: Pending, other: Pending) -> bool:
    same = (waiting.wanted, waiting.keys, waiting.signed_with) == (other.wanted, other.keys, other.signed_with)
    return same and waiting.to_prove == other.to_prove


def _taken(what: str, *, next_step: str) -> Refusal:
    return Refusal(ALREADY_TAKEN, f"{what} is another subscriber's, or was", next_step=next_step)
