"""Records that go from state to state by steps, each taken by one party: what the table lacks is refused.

Pure. Above: the tables of the programs, such as the states of an organisation and of a registry entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from uhi.audit import ActorKind
from uhi.errors import Refusal
from uhi.faults import ACCESS_DENIED, STATE_REFUSED

ABSENT = ""
"""The state of a record that is not there yet."""

PEOPLE = frozenset({ActorKind.PERSON, ActorKind.OPERATOR})
"""The actors that decide about others: never a service or a subscriber."""

StepT = TypeVar("StepT", bound=Enum)


@dataclass(frozen=True, slots=True)
class Party:
    """Who may take a step, in words, and the kinds of actors they can be. Which permission a person needs is said by
    the rule of the route."""

    words: str
    kinds: frozenset[ActorKind]


@dataclass(frozen=True, slots=True)
class Move:
    """Where a step leads, and who may take it."""

    to: str
    by: Party


@dataclass(frozen=True, slots=True)
class Moves(Generic[StepT]):
    """The table: in which state which step leads where. `words` are how a refusal speaks of the state."""

    table: Mapping[tuple[str, StepT], Move]
    words: str = "in this state"

    def after(self, state: str, step: StepT, kind: ActorKind) -> str:
        """Return the state that a step by this kind of actor leads to.

        Raises: Refusal(STATE_REFUSED) when it does not lead on from here; Refusal(ACCESS_DENIED) when others take it.
        """
        move = self.table.get((state, step))
        if move is None:
            raise Refusal(
                STATE_REFUSED,
                f"{step.value} is not possible {self.words}",
                got=state or "none",
                next_step=self._next_step(state, kind),
            )
        if kind not in move.by.kinds:
            raise Refusal(ACCESS_DENIED, f"{step.value} is for others to do", got=kind.value, expected=move.by.words)
        return move.to

    def _next_step(self, state: str, kind: ActorKind) -> str:
        on = sorted(
            (step.value, kind in move.by.kinds) for (origin, step), move in self.table.items() if origin == state
        )
        own = " or ".join(step for step, is_own in on if is_own)
        return own or ("others take it on from here" if on else "none: this state is final")
