"""The states of an order: one table of moves, who may make each, and by which message.

Pure. Above: the provider's and the consumer's side of a booking. Source: NHA Physical Consultation v2.0, order states.
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


class Via(StrEnum):
    """What makes a move: a message, or the end of a hold."""

    HOLD = "hold"
    ON_CONFIRM = "on_confirm"
    ON_UPDATE = "on_update"
    CANCEL = "cancel"
    ON_CANCEL = "on_cancel"


@dataclass(frozen=True, slots=True)
class Move:
    """One permitted change of state."""

    source: OrderState
    target: OrderState
    by: Role
    via: Via


_CONSUMER, _PROVIDER = Role.CONSUMER, Role.PROVIDER
_S = OrderState

MOVES: tuple[Move, ...] = (
    Move(_S.HELD, _S.CONFIRMED, _PROVIDER, Via.ON_CONFIRM),
    Move(_S.HELD, _S.FAILED, _PROVIDER, Via.ON_CONFIRM),
    Move(_S.HELD, _S.EXPIRED, _PROVIDER, Via.HOLD),
    Move(_S.EXPIRED, _S.CONFIRMED, _PROVIDER, Via.ON_CONFIRM),
    Move(_S.EXPIRED, _S.FAILED, _PROVIDER, Via.ON_CONFIRM),
    Move(_S.CONFIRMED, _S.APPOINTMENT_STARTED, _PROVIDER, Via.ON_UPDATE),
    Move(_S.CONFIRMED, _S.NO_SHOW, _PROVIDER, Via.ON_UPDATE),
    Move(_S.CONFIRMED, _S.DOCTOR_NO_SHOW, _CONSUMER, Via.ON_UPDATE),
    Move(_S.CONFIRMED, _S.CANCELLED, _CONSUMER, Via.CANCEL),
    Move(_S.CONFIRMED, _S.CANCELLED, _PROVIDER, Via.ON_CANCEL),
    Move(_S.APPOINTMENT_STARTED, _S.COMPLETED, _PROVIDER, Via.ON_UPDATE),
)
"""Every move there is; a state without a row as source has no way out."""


def transition(current: OrderState, target: OrderState, *, by: Role, via: Via) -> OrderState:
    """Return the state after a move; the same state again is a refresh and always permitted.

    Raises: StateConflict when the table has no such move, or not by this party and message.
    """
    if target is current or Move(current, target, by, via) in MOVES:
        return target
    ways = sorted({str(move.target) for move in MOVES if move.source is current and move.by is by})
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
                if move.source is todo[0] and move.target.value not in ahead[state]:
                    ahead[state].add(move.target.value)
                    todo.append(move.target)
            todo.pop(0)
    return {state: frozenset(found) for state, found in ahead.items()}
