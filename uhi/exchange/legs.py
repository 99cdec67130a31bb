"""Finds the leg behind a POST: (our role, path, forwarded or direct).

Below `receive`; built once by a composition root from the legs that have a handler and those the protocol knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from uhi.actions import Leg
from uhi.errors import Refusal
from uhi.faults import NOT_IMPLEMENTED, PATH_UNKNOWN, SIGNATURE_MISSING
from uhi.messages.wire import Wire

AnyLeg = Leg[Wire]


class Legs:
    """What arrives at one door: every leg of the protocol for its role, and which of them somebody handles by now.

    A path has at most one answer and one notice for each of forwarded and direct; they share a message form, and step 8
    tells them apart.
    """

    def __init__(self, known: Iterable[Leg[Wire]], *, is_handled: Callable[[AnyLeg], bool] = lambda leg: True) -> None:
        self._is_handled = is_handled
        self._at: dict[tuple[str, bool], tuple[AnyLeg, ...]] = {}
        self.paths: dict[str, int] = {}
        for leg in known:
            self._add(leg)

    def at(self, path: str, *, forwarded: bool) -> tuple[AnyLeg, ...]:
        """The legs that may arrive at a path, answers first.

        Raises: Refusal(PATH_UNKNOWN), Refusal(SIGNATURE_MISSING) for what comes without the gateway that it should come
        through, Refusal(NOT_IMPLEMENTED) for what comes through one and should not.
        """
        found = self._at.get((path, forwarded))
        if found:
            return found
        if path in self.paths and forwarded:
            raise Refusal(
                NOT_IMPLEMENTED, f"{path} does not come through a gateway here", next_step="send it the other way"
            )
        if path in self.paths:
            refusal = Refusal(SIGNATURE_MISSING, f"{path} comes through a gateway here", next_step="send it to one")
            refusal.gateway_header = True
            raise refusal
        raise Refusal(PATH_UNKNOWN, f"nothing is served at /{path[:64]!a}", expected=", ".join(sorted(self.paths)))

    def handled(self, legs: tuple[AnyLeg, ...]) -> tuple[AnyLeg, ...]:
        """Those of the legs that somebody handles.

        Raises: Refusal(NOT_IMPLEMENTED) with the handler to paste, when there is none.
        """
        mine = tuple(leg for leg in legs if self._is_handled(leg))
        if not mine:
            raise Refusal(NOT_IMPLEMENTED, f"nobody handles {legs[0].name}", next_step=paste(legs[0]))
        return mine

    def _add(self, leg: Leg[Wire]) -> None:
        place = (leg.path, leg.forwarded)
        self._at[place] = tuple(sorted((*self._at.get(place, ()), leg), key=lambda each: not each.answers))
        self.paths[leg.path] = max(self.paths.get(leg.path, 0), leg.limits.body)


def paste(leg: Leg[Wire]) -> str:
    """The handler to paste for a leg that nobody handles."""
    action = leg.name.upper() if not leg.answers else f"{leg.answers.upper()}.answer"
    kind = leg.kind.__name__
    return f"add a handler:\n@app.on({action})\nasync def {leg.name}(request: Verified[{kind}]): ..."
