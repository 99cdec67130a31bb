"""The five terms of an order of a listed service, in the shape that consultations have them.

Pure; the texts are ours, the shape is `uhi.booking.terms`. Source: NHA's documents of both services, terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from uhi.booking.terms import INITIATED, KINDS
from uhi.messages.values import Descriptor, Term, wire_time

_GATEWAY_ONLY = (
    "UHI is a technology gateway and nothing else. It does not supervise the provider, is not liable for the "
    "availability, quality, safety, timeliness or outcome of what is offered, and never collects or passes on a "
    "payment."
)


def offered_terms(texts: Mapping[str, tuple[str, str]], *, until: datetime) -> tuple[Term, ...]:
    """Return the five terms as a provider offers them; `texts` has a short and a long text for each of `KINDS`.

    What the network is and is not stands before the commercial one, as NHA asks.
    """
    commercial = texts["Commercial"]
    texts = {**texts, "Commercial": (commercial[0], f"{_GATEWAY_ONLY} {commercial[1]}")}
    return tuple(
        Term(
            type=kind,
            descriptor=Descriptor(name=f"{kind} terms", short_desc=texts[kind][0], long_desc=texts[kind][1]),
            reasonRequired=False,
            timePeriod=wire_time(until),
            reason="",
            termsState=INITIATED,
        )
        for kind in KINDS
    )
