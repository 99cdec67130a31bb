"""What one row of the audit trail says, before it has its place in the chain.

Pure. Nothing here holds what a record says: only ids, and digests of it before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import TypedDict, Unpack

from uhi import strict_json


class ActorKind(Enum):
    """What kind of party acted."""

    PERSON = "person"
    SERVICE = "service"
    SUBSCRIBER = "subscriber"
    OPERATOR = "operator"
    """Somebody with the machine's own rights, at the command line."""
    SYSTEM = "system"
    NOBODY = "nobody"
    """Somebody who did not say, or could not prove, who they are."""


class Outcome(Enum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. `at` is Unix seconds; `action` a dotted verb (`registry.suspend`); `object` names the record
    (`subscriber clinic.example`). `before` and `after` are digests (`digest_of`), empty where nothing was or is there.
    """

    at: float
    actor: str
    actor_kind: ActorKind
    action: str
    object: str
    outcome: Outcome = Outcome.DONE
    tenant: str = ""
    reason: str = ""
    request_id: str = ""
    address: str = ""
    before: str = ""
    after: str = ""


class _Rest(TypedDict, total=False):
    outcome: Outcome
    reason: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts, from where, in which request: what every entry made on the way has in common."""

    actor: str
    kind: ActorKind
    tenant: str = ""
    address: str = ""
    request_id: str = ""

    def entry(self, action: str, about: str, *, at: float, **rest: Unpack[_Rest]) -> Entry:
        """An entry about the record named `about`."""
        return Entry(
            at=at,
            actor=self.actor,
            actor_kind=self.kind,
            action=action,
            object=about,
            tenant=self.tenant,
            request_id=self.request_id,
            address=self.address,
            **rest,
        )


def digest_of(value: object) -> str:
    """The SHA-256 (hex) of a JSON value in the one order of its names; of None the empty text."""
    return "" if value is None else sha256(strict_json.write(_ordered(value))).hexdigest()


def _ordered(value: object) -> object:
    match value:
        case dict():
            return {name: _ordered(value[name]) for name in sorted(value)}
        case list() | tuple():
            return [_ordered(each) for each in value]
    return value
