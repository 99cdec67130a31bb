"""The five terms of an order: offered by the provider, shown to the patient, agreed one by one.

Pure. The texts are ours; what they must say is NHA's. Terms stay the wire's own values, because a provider demands back
exactly what it sent. Source: NHA Physical Consultation v2.0, terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uhi.booking.hospital import Slot
from uhi.errors import BookingError, IncompleteMessage
from uhi.messages.values import IST, ONLINE, Descriptor, Term, wire_time
from uhi.messages.wire import emit

INITIATED = "INITIATED"
AGREED = "AGREED"
KINDS = ("Commercial", "Settlement", "Cancellation", "Refund", "Payment")
FEWEST = 4
"""A consumer takes four terms as well as five: one of NHA's tables lists four."""

USUAL_NOTICE = 4
"""How many hours before the appointment UHI's own terms ask a patient to cancel."""

_CHANGES = ("termsState", "reason")


def default_terms(slot: Slot, *, notice_hours: int = 0) -> tuple[Term, ...]:
    """Return the five terms for a slot as a provider offers them, valid until the appointment ends.

    `notice_hours` is when the provider takes no cancellation any more: where that is sooner than usual, they say so.
    """
    hours = max(notice_hours, USUAL_NOTICE)
    texts = {
        "Commercial": (
            "Commercial terms",
            "UHI connects you with the facility and is no party to it.",
            _commercial(slot),
        ),
        "Settlement": ("Settlement terms", "You pay the facility directly.", _SETTLEMENT),
        "Cancellation": (
            "Cancellation terms",
            f"Please cancel at least {hours} hours before.",
            _CANCELLATION.format(hours=hours),
        ),
        "Refund": ("Refund terms", "Nothing is paid in advance.", _REFUND),
        "Payment": ("Payment terms", "Pay at the facility on the day.", _payment(slot)),
    }
    return tuple(_term(kind, *texts[kind], until=wire_time(slot.end)) for kind in KINDS)


def agree(terms: Sequence[Term], reasons: Mapping[str, str] | None = None) -> tuple[Term, ...]:
    """Return every term as agreed, with the patient's reason (by the term's type) where one is asked for.

    Raises: IncompleteMessage when a term that asks for a reason has none.
    """
    given = reasons or {}
    agreed = []
    for term in terms:
        reason = given.get(term.type or "", "") or term.reason or ""
        if term.needs_reason and not reason.strip():
            raise IncompleteMessage(
                f"the {term.type} term asks for a reason", next_step=f"agree with {{{term.type!r}: 'the reason'}}"
            )
        agreed.append(term.model_copy(update={"termsState": AGREED, "reason": reason}))
    return tuple(agreed)


def check_offered(terms: Sequence[Term]) -> None:
    """Refuse an offer that cannot be agreed: fewer than four terms, a kind twice, or one that is not INITIATED.

    Raises: BookingError.
    """
    kinds = {term.type for term in terms}
    if len(terms) < FEWEST or len(kinds) != len(terms):
        raise BookingError("the offer does not bring its terms", got=f"{len(terms)} terms", expected="five, each once")
    if any(term.termsState != INITIATED for term in terms):
        raise BookingError("a term was offered in another state", expected=INITIATED)


def check_agreed(sent: Sequence[Term], returned: Sequence[Term]) -> None:
    """Refuse terms that are not exactly those sent, each agreed, with a reason where one is asked for.

    Order does not matter; state and reason may differ, an empty member counts as absent.
    Raises: BookingError that names the kind of term at fault.
    """
    expected = {term.type: term for term in sent}
    found = {term.type: term for term in returned}
    if len(returned) != len(sent) or expected.keys() != found.keys():
        raise BookingError("not the terms that were sent", got=f"{len(returned)} terms", expected=f"{len(sent)}")
    for kind, term in found.items():
        if _fixed(term) != _fixed(expected[kind]):
            raise BookingError(f"the {kind} term is not as it was sent")
        if not term.is_agreed:
            raise BookingError(f"the {kind} term is not agreed", expected=AGREED)
        if term.needs_reason and not (term.reason or "").strip():
            raise BookingError(f"the {kind} term is agreed without the reason it asks for")


def _fixed(term: Term) -> dict[str, object]:
    return {name: value for name, value in emit(term).items() if name not in _CHANGES and value != ""}


def _term(kind: str, name: str, short: str, text: str, *, until: str) -> Term:
    return Term(
        type=kind,
        descriptor=Descriptor(name=name, short_desc=short, long_desc=text),
        reasonRequired=False,
        timePeriod=until,
        reason="",
        termsState=INITIATED,
    )


_COMMERCIAL = (
    "UHI is a technology gateway and nothing else. It does not supervise the facility or the doctor, is not liable for "
    "the availability, quality, safety, timeliness or outcome of the consultation, and never collects or passes on a "
    "payment. All matters of money are between the patient and the facility. This appointment is with {doctor}, at "
    "{facility}, on {day} from {start} to {end}. In an emergency the facility may offer another doctor or time. The "
    "wait may be up to 30 minutes longer than planned."
)
_ONLINE = (
    " The consultation is held online, with {doctors}. By calling in you agree to it; where the doctor calls you, you "
    "are asked first. It is not for emergencies, and the doctor may ask you to come in person instead."
)
_SETTLEMENT = (
    "The patient pays the facility directly. Nothing is settled through UHI, the patient's application or the network."
)
_CANCELLATION = (
    "Rescheduling, cancellation and refund follow the policy of the facility. Please cancel at least {hours} hours "
    "before the appointment. Should the facility have to cancel, it tries to tell the patient at least 2 hours before, "
    "with a reason."
)
_REFUND = (
    "Nothing is paid in advance, so there is nothing to refund through the network. What was paid at the facility is "
    "refunded by its own policy."
)
_PAYMENT = (
    "The fee is set by the facility and paid there, on the day of the appointment, by any mode the facility accepts. "
    "The total payable of {price} rupees, GST included, is final."
)


def _commercial(slot: Slot) -> str:
    doctor, start = slot.doctor, slot.start.astimezone(IST)
    known = (doctor.name, doctor.education, f"HPR id {doctor.hpr_id or doctor.id}")
    return _COMMERCIAL.format(
        doctor=", ".join(part for part in known if part),
        facility=doctor.facility.name,
        day=f"{start:%d %B %Y}",
        start=f"{start:%H:%M}",
        end=f"{slot.end.astimezone(IST):%H:%M}",
    ) + _registered(slot)


def _registered(slot: Slot) -> str:
    """What the patient of a consultation online is to know of who sees them, and of what it cannot do."""
    if slot.fulfilment != ONLINE:
        return ""
    known = [f"{each.name}, registration {each.registration_number} of the {each.council}" for each in slot.doctors]
    return _ONLINE.format(doctors="; ".join(known))


def _payment(slot: Slot) -> str:
    return _PAYMENT.format(price=f"{slot.price:.2f}")
