"""The states of an order: one table of what may happen to it, who may make it happen, and by which message.

Pure. Above: the provider's and the consumer's side of a booking, and rules of access. Source: NHA Physical Consultation
v2.0, order states and PIN; decisions 34 to 38.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from uhi.errors import StateConflict
from uhi.subscribers import Role


class OrderState(StrEnum):
    """How far an order has got. `HELD` and `EXPIRED` never travel: before on_confirm an order has no state."""

    HELD = "HELD"
    EXPIRED = "EXPIRED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    APPOINTMENT_STARTED = "APPOINTMENT_STARTED"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    DOCTOR_NO_SHOW = "DOCTOR_NO_SHOW"
    CANCELLED = "CANCELLED"

    @property
    def travels(self) -> bool:
        """Whether the state may stand in a message."""
        return self not in {OrderState.HELD, OrderState.EXPIRED}


class EventKind(StrEnum):
    """What happens to an order. `HELD_AGAIN`: its slot is taken once more for it, or an offered slot is taken up.

    Online only: `CONSENT_GIVEN` to the consultation, somebody `JOINED` or `LEFT` the call, and one of several doctors
    did not come (`DOCTOR_ABSENT`).
    """

    HELD = "HELD"
    HELD_AGAIN = "HELD_AGAIN"
    TERMS_AGREED = "TERMS_AGREED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    PIN_MISSED = "PIN_MISSED"
    PIN_VERIFIED = "PIN_VERIFIED"
    PIN_OVERRIDDEN = "PIN_OVERRIDDEN"
    CONSENT_GIVEN = "CONSENT_GIVEN"
    JOINED = "JOINED"
    LEFT = "LEFT"
    DOCTOR_ABSENT = "DOCTOR_ABSENT"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    RECORDS_LINKED = "RECORDS_LINKED"
    CANCELLED = "CANCELLED"
    RESCHEDULED = "RESCHEDULED"
    NO_SHOW = "NO_SHOW"
    DOCTOR_NO_SHOW = "DOCTOR_NO_SHOW"


class Party(StrEnum):
    """Who makes something happen: the patient's application, the provider's own system, people at its desk, the doctor
    who treats, or the time alone."""

    CONSUMER = "consumer"
    SYSTEM = "system"
    DESK = "desk"
    CLINICIAN = "clinician"
    TIME = "time"

    @property
    def role(self) -> Role:
        """Which side of the network it is on."""
        return Role.CONSUMER if self is Party.CONSUMER else Role.PROVIDER


class Via(StrEnum):
    """What makes a move: a message, somebody at the provider without one, a call, or the end of a hold."""

    INIT = "init"
    CONFIRM = "confirm"
    HOLD = "hold"
    DESK = "desk"
    CALL = "call"
    ON_CONFIRM = "on_confirm"
    ON_UPDATE = "on_update"
    CANCEL = "cancel"
    ON_CANCEL = "on_cancel"


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that may happen: to an order in the state `source` (None: to none yet), which is `target` after it."""

    kind: EventKind
    source: OrderState | None
    target: OrderState
    parties: frozenset[Party]
    via: Via


_S, _K = OrderState, EventKind
_CONSUMER, _SYSTEM, _DESK = frozenset({Party.CONSUMER}), frozenset({Party.SYSTEM}), frozenset({Party.DESK})
_TIME = frozenset({Party.TIME})
_STAFF = frozenset({Party.DESK, Party.CLINICIAN})
_HOUSE = _STAFF | _SYSTEM
_CALLERS = _STAFF | _CONSUMER

MOVES: tuple[Move, ...] = (
    Move(_K.HELD, None, _S.HELD, _CONSUMER | _DESK, Via.INIT),
    Move(_K.HELD_AGAIN, _S.HELD, _S.HELD, _CONSUMER, Via.INIT),
    Move(_K.HELD_AGAIN, _S.EXPIRED, _S.EXPIRED, _CONSUMER, Via.CONFIRM),
    Move(_K.TERMS_AGREED, _S.HELD, _S.HELD, _CONSUMER, Via.CONFIRM),
    Move(_K.TERMS_AGREED, _S.EXPIRED, _S.EXPIRED, _CONSUMER, Via.CONFIRM),
    Move(_K.CONFIRMED, _S.HELD, _S.CONFIRMED, _SYSTEM, Via.ON_CONFIRM),
    Move(_K.CONFIRMED, _S.EXPIRED, _S.CONFIRMED, _SYSTEM, Via.ON_CONFIRM),
    Move(_K.FAILED, _S.HELD, _S.FAILED, _SYSTEM, Via.ON_CONFIRM),
    Move(_K.FAILED, _S.EXPIRED, _S.FAILED, _SYSTEM, Via.ON_CONFIRM),
    Move(_K.EXPIRED, _S.HELD, _S.EXPIRED, _TIME, Via.HOLD),
    Move(_K.PIN_MISSED, _S.CONFIRMED, _S.CONFIRMED, _DESK, Via.DESK),
    Move(_K.PIN_VERIFIED, _S.CONFIRMED, _S.CONFIRMED, _DESK, Via.DESK),
    Move(_K.PIN_OVERRIDDEN, _S.CONFIRMED, _S.CONFIRMED, _DESK, Via.DESK),
    Move(_K.CONSENT_GIVEN, _S.CONFIRMED, _S.CONFIRMED, _CALLERS, Via.CALL),
    Move(_K.JOINED, _S.CONFIRMED, _S.CONFIRMED, _CALLERS, Via.CALL),
    Move(_K.JOINED, _S.APPOINTMENT_STARTED, _S.APPOINTMENT_STARTED, _CALLERS, Via.CALL),
    Move(_K.LEFT, _S.CONFIRMED, _S.CONFIRMED, _CALLERS, Via.CALL),
    Move(_K.LEFT, _S.APPOINTMENT_STARTED, _S.APPOINTMENT_STARTED, _CALLERS, Via.CALL),
    Move(_K.LEFT, _S.COMPLETED, _S.COMPLETED, _CALLERS, Via.CALL),
    Move(_K.DOCTOR_ABSENT, _S.CONFIRMED, _S.CONFIRMED, _STAFF, Via.DESK),
    Move(_K.DOCTOR_ABSENT, _S.APPOINTMENT_STARTED, _S.APPOINTMENT_STARTED, _STAFF, Via.DESK),
    Move(_K.STARTED, _S.CONFIRMED, _S.APPOINTMENT_STARTED, _STAFF, Via.ON_UPDATE),
    Move(_K.COMPLETED, _S.APPOINTMENT_STARTED, _S.COMPLETED, _STAFF, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.CONFIRMED, _S.CONFIRMED, _SYSTEM, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.APPOINTMENT_STARTED, _S.APPOINTMENT_STARTED, _HOUSE, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.COMPLETED, _S.COMPLETED, _HOUSE, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.CANCELLED, _S.CANCELLED, _SYSTEM, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.NO_SHOW, _S.NO_SHOW, _SYSTEM, Via.ON_UPDATE),
    Move(_K.RECORDS_LINKED, _S.DOCTOR_NO_SHOW, _S.DOCTOR_NO_SHOW, _SYSTEM, Via.ON_UPDATE),
    Move(_K.NO_SHOW, _S.CONFIRMED, _S.NO_SHOW, _DESK, Via.ON_UPDATE),
    Move(_K.DOCTOR_NO_SHOW, _S.CONFIRMED, _S.DOCTOR_NO_SHOW, _CONSUMER, Via.ON_UPDATE),
    Move(_K.CANCELLED, _S.CONFIRMED, _S.CANCELLED, _CONSUMER, Via.CANCEL),
    Move(_K.CANCELLED, _S.CONFIRMED, _S.CANCELLED, _DESK | _SYSTEM, Via.ON_CANCEL),
    Move(_K.RESCHEDULED, _S.CANCELLED, _S.CANCELLED, _CONSUMER, Via.CANCEL),
)
"""Everything that may happen; a state with no row that leads to another one is an end."""


@cache
def who_may(kind: EventKind) -> frozenset[Party]:
    """Return who may ever make this happen: what rules of access to a provider's own interface stand on."""
    return frozenset(party for move in MOVES if move.kind is kind for party in move.parties)


def step(current: OrderState | None, kind: EventKind, *, by: Party) -> OrderState:
    """Return the state of an order after something happened to it.

    Raises: StateConflict when the table has no such thing in this state, or not by this party.
    """
    for move in MOVES:
        if move.source is current and move.kind is kind and by in move.parties:
            return move.target
    ways = sorted({move.kind.value for move in MOVES if move.source is current and by in move.parties})
    raise StateConflict(
        f"{kind} cannot happen to an order that is {current or 'not there'}, by the {by}",
        expected=" or ".join(ways) or f"nothing: the {by} can do nothing with it now",
    )


def follows(current: OrderState | None, kind: EventKind) -> OrderState | None:
    """Return the state after something happened, whoever made it; None where the table has no such thing."""
    return next((move.target for move in MOVES if move.source is current and move.kind is kind), None)


def transition(current: OrderState, target: OrderState, *, by: Role, via: Via) -> OrderState:
    """Return the state after a move of one side of the network; the same state again is a refresh and always permitted.

    Raises: StateConflict when the table has no such move, or not by this side and message.
    """
    moves = [each for each in MOVES if each.source is current and any(party.role is by for party in each.parties)]
    if target is current or any(move.target is target and move.via is via for move in moves):
        return target
    ways = sorted({str(move.target) for move in moves} - {str(current)})
    raise StateConflict(
        f"an order cannot go from {current} to {target} by the {by.value}",
        got=f"{target} by {via}",
        expected=" or ".join(ways) or f"nothing: {current} has no way out for the {by.value}",
    )


def follow(current: OrderState, news: str) -> OrderState:
    """Return the state a consumer keeps when it hears `news`, which may be late, repeated or out of order.

    News that the table reaches from `current`, over any number of moves, is taken, because what lay between may have
    been lost. News that lies behind or beside, and a state that is not in the table, changes nothing.
    """
    return OrderState(news) if news in _ahead().get(current, frozenset()) else current


def is_known(text: str | None) -> bool:
    """Whether a state of a message stands in the table."""
    return text in {state.value for state in OrderState if state.travels}


@cache
def _ahead() -> dict[OrderState, frozenset[str]]:
    ahead: dict[OrderState, set[str]] = defaultdict(set)
    for state in reversed(OrderState):
        todo = [state]
        while todo:
            for move in MOVES:
                if move.source is todo[0] and move.target not in {move.source, *ahead[state]}:
                    ahead[state].add(move.target.value)
                    todo.append(move.target)
            todo.pop(0)
    return {state: frozenset(found) for state, found in ahead.items()}
