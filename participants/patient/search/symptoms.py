"""From what somebody feels to the specialities that see to it first; no diagnosis, and never sent to anybody.

Below: `symptoms.yaml`. What nobody here has a word for is for a general physician.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

GENERAL = ("GENERAL_MEDICINE", "GENERAL_PHYSICIAN", "INTERNAL_MEDICINE", "FAMILY_MEDICINE")

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Advice:
    """The specialities, those to be shown first in front. `known` is whether anything was made of the words, `urgent`
    whether waiting for an appointment may be wrong."""

    specialities: tuple[str, ...]
    known: bool = True
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    phrases: tuple[frozenset[str], ...]
    advice: Advice

    def fit(self, words: frozenset[str]) -> int:
        """How many words of its longest phrase that fits; 0 for none."""
        return max((len(phrase) for phrase in self.phrases if phrase <= words), default=0)


def advice_for(symptom: str) -> Advice:
    """Return who sees to a symptom, in the patient's own words."""
    words = _words(symptom)
    fitting = [(entry.fit(words), entry.advice) for entry in _entries()]
    longest = max((fit for fit, _ in fitting), default=0)
    if not longest:
        return Advice(GENERAL, known=False)
    best = [advice for fit, advice in fitting if fit == longest]
    specialities = dict.fromkeys(code for advice in best for code in advice.specialities)
    # What is urgent stays so when it is only one of several things.
    return Advice(tuple(specialities), urgent=any(advice.urgent for fit, advice in fitting if fit))


@cache
def _entries() -> tuple[_Entry, ...]:
    text = (resources.files(__package__) / "symptoms.yaml").read_text()
    return tuple(map(_entry, yaml.safe_load(text)))


def _entry(given: dict[str, list[str]]) -> _Entry:
    advice = Advice(tuple(given["specialities"]), urgent=bool(given.get("urgent")))
    return _Entry(tuple(map(_words, given["words"])), advice)


def _words(text: str) -> frozenset[str]:
    found: Iterable[str] = _WORD.findall(text.casefold())
    return frozenset(found)
