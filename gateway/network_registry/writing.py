"""One change of the register on its way into the database: its number, its entry and its audit row, all or nothing.

Above: `joining`, `proving`, `deciding`; below: `change_rows`, `uhi.audit.trail`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from sqlalchemy import Connection

from gateway.network_registry import change_rows, member_rows, pending_rows
from gateway.network_registry.rules import RegisterRules
from gateway.network_registry.standing import Change, Standing, key_json, particulars_json
from uhi.audit import Acting, ActorKind, Outcome, digest_of
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, Fault
from uhi.subscribers import SUBSCRIBED, UNSUBSCRIBED, Subscriber


class _Rest(TypedDict, total=False):
    outcome: Outcome
    reason: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction, when and by whom it is made, and the rules it goes by."""

    connection: Connection
    now: float
    acting: Acting
    rules: RegisterRules

    @classmethod
    def begin(cls, connection: Connection, *, now: float, acting: Acting, rules: RegisterRules) -> Writing:
        """Begin to write: from here to the end of the transaction nobody else changes the register."""
        change_rows.lock(connection)
        return cls(connection, now, acting, rules)

    def standing(self, subscriber_id: str) -> Standing:
        """How the subscriber stands now.

        Raises: Refusal(RECORD_MISSING).
        """
        return member_rows.standing(self.connection, subscriber_id)

    def note(self, action: str, about: str, **rest: Unpack[_Rest]) -> None:
        """Audit something: by itself what changes no entry, such as a proof or a first approval."""
        append(self.connection, self.acting.entry(f"registry.{action}", about, at=self.now, **rest))

    def check_own(self, subscriber_id: str, fault: Fault = ACCESS_DENIED) -> None:
        """A subscriber acts on its own entry only.

        Raises: Refusal(fault).
        """
        if self.acting.kind is ActorKind.SUBSCRIBER and self.acting.actor != subscriber_id:
            raise Refusal(fault, f"{self.acting.actor} may not act for {subscriber_id}")

    def publish(self, before: Standing | None, subscriber_id: str, action: str, *, reason: str = "") -> Standing:
        """Number and audit a change of an entry that is written already; returns how it stands after it."""
        after = self.standing(subscriber_id)
        subscriber = after.particulars.subscriber
        keys = after.active_keys(self.now) if subscriber.status == SUBSCRIBED else ()
        self._number(subscriber, tuple(key.id for key in keys), action)
        digests = (digest_of(_entry(before)), digest_of(_entry(after)))
        self.note(action, f"subscriber {subscriber_id}", reason=reason, before=digests[0], after=digests[1])
        return after

    def forget(self, before: Standing, action: str, *, reason: str) -> None:
        """Remove an entry that never was a member's; number and audit it."""
        pending_rows.drop_pending(self.connection, before.id)
        member_rows.drop_member(self.connection, before.id)
        self._number(replace(before.particulars.subscriber, status=UNSUBSCRIBED), (), action)
        self.note(action, f"subscriber {before.id}", reason=reason, before=digest_of(_entry(before)))

    def _number(self, subscriber: Subscriber, keys: tuple[str, ...], action: str) -> None:
        change = Change(
            seq=change_rows.next_seq(self.connection),
            at=self.now,
            subscriber_id=subscriber.id,
            role=subscriber.role,
            status=subscriber.status,
            keys=keys,
            action=action,
        )
        change_rows.insert_change(self.connection, change)


def _entry(standing: Standing | None) -> object:
    if standing is None:
        return None
    keys: list[object] = [key_json(held.in_force) for held in standing.keys]
    return {**particulars_json(standing.particulars), "keys": keys}
