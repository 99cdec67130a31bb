"""What a provider may set about its own bookings; the rules of UHI are not among it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Slot
from uhi.booking.terms import default_terms
from uhi.messages.required import CONSULTATION
from uhi.messages.values import PHYSICAL, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Settings of a `ConsultationProvider`.

    `name` stands over its catalogues, its subscriber id where empty. `fulfilments` are the kinds of consultation it
    takes (`Physical`, `Online`). `select` answers quotes without a hold; NHA's networks have it off. `answers_empty`
    sends an empty catalogue where nothing fits, instead of silence. `terms` makes the five terms of an offer.
    `messaging_support`, `deep_link` and `chatbot_link` tell the patient how to reach the facility. `free_text_tag` is
    the tag for a reason in somebody's own words (no name is published for it; none is sent where it is empty).
    """

    name: str = ""
    domain: str = CONSULTATION
    fulfilments: tuple[str, ...] = (PHYSICAL,)
    select: bool = False
    answers_empty: bool = True
    holds: HoldLimits = field(default_factory=HoldLimits)
    terms: Callable[[Slot], Sequence[Term]] = default_terms
    messaging_support: bool = False
    deep_link: str = ""
    chatbot_link: str = ""
    free_text_tag: str = ""
