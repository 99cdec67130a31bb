"""The protocol on one page: who may send which message to whom, and what answers it.

An action is a value of one of three kinds: `Question` (exactly one answer), `Broadcast` (silence is an answer) and
`Notice` (no answer). Each is made of `Leg`s, one per direction. Source: UHI endpoints and message tables (spec 2.0.2).
"""

from __future__ import annotations

from typing import Required, TypedDict, TypeVar, Unpack

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.legs import (
    CATALOGUE,
    CHAT,
    KIB,
    ORDINARY,
    Broadcast,
    Check,
    Decline,
    Leg,
    Limits,
    Notice,
    Question,
    Urgency,
)
from uhi.messages import (
    Cancel,
    Confirm,
    Init,
    Lookup,
    MessageToConsumer,
    MessageToProvider,
    OnCancel,
    OnCancelAudit,
    OnConfirm,
    OnConfirmAudit,
    OnInit,
    OnSearch,
    OnSelect,
    OnStatus,
    OnStatusAudit,
    OnUpdateAudit,
    Order,
    ProviderLookup,
    Reported,
    Search,
    Select,
    Slots,
    SlotsFound,
    Status,
    Updated,
)
from uhi.messages.wire import Wire
from uhi.subscribers import Role

M = TypeVar("M", bound=Wire)
Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)

_CONSUMER, _PROVIDER, _GATEWAY = Role.CONSUMER, Role.PROVIDER, Role.GATEWAY
_ORDER, _ASKED, _OFFER, _SEARCH = Urgency.ORDER, Urgency.ASKED, Urgency.OFFER, Urgency.SEARCH


def _requires(*paths: str) -> Check:
    """A check that each dotted path below `message` leads to a value that is there and not empty."""

    def check(message: Wire) -> None:
        for path in paths:
            value: object = message
            for name in path.split("."):
                value = getattr(value, name, None)
            if value is None or value == "":
                raise Refusal(MESSAGE_INVALID, f"message.{path} is missing", path=f"$.message.{path}")

    return check


def _names_a_slot(message: Wire) -> None:
    _requires("order.fulfillment.id")(message)
    order = getattr(message, "order", None)
    if isinstance(order, Order) and order.line is None:
        raise Refusal(MESSAGE_INVALID, "message.order.item is missing", path="$.message.order.item")


def _is_doctor_no_show(message: Wire) -> None:
    _requires("order.id")(message)
    if not (isinstance(message, Reported) and message.order.state == "DOCTOR_NO_SHOW"):
        raise Refusal(
            MESSAGE_INVALID,
            "a consumer may set one state only",
            got="another state",
            expected="DOCTOR_NO_SHOW",
            path="$.message.order.state",
        )


_has_order = _requires("order.id")


_TOLD_UNASKED_TOO = {"status", "cancel"}


class _Asked(TypedDict, total=False):
    audit: str
    check: Check


def _question(
    name: str,
    kinds: tuple[type[Q], type[A]],
    urgency: tuple[Urgency, Urgency],
    *,
    single_shot: bool,
    **rest: Unpack[_Asked],
) -> Question[Q, A]:
    request, answer = kinds
    callback = f"on_{name}"
    return Question(
        Leg(
            name,
            name,
            request,
            (_CONSUMER,),
            _PROVIDER,
            (name,),
            single_shot=single_shot,
            urgency=urgency[0],
            check=rest.get("check"),
        ),
        Leg(
            callback,
            callback,
            answer,
            (_PROVIDER,),
            _CONSUMER,
            (callback,),
            single_shot=single_shot,
            urgency=urgency[1],
            answers=name,
            audit=rest.get("audit", ""),
            check=_has_order if name in _TOLD_UNASKED_TOO else None,
        ),
    )


class _Told(TypedDict, total=False):
    urgency: Required[Urgency]
    audit: str
    check: Check
    limits: Limits


def _notice(name: str, path: str, kind: type[M], sender: Role, **rest: Unpack[_Told]) -> Notice[M]:
    receiver = _CONSUMER if sender is _PROVIDER else _PROVIDER
    return Notice(Leg(name, path, kind, (sender,), receiver, accepts=(path,), **rest))


SEARCH: Broadcast[Search, OnSearch] = Broadcast(
    Leg("search", "search", Search, (_CONSUMER,), _PROVIDER, ("search",), urgency=_SEARCH, forwarded=True),
    Leg(
        "on_search",
        "on_search",
        OnSearch,
        (_PROVIDER,),
        _CONSUMER,
        ("on_search",),
        urgency=_SEARCH,
        forwarded=True,
        answers="search",
        limits=CATALOGUE,
    ),
)
"""The first search: through the gateway to every provider it concerns."""

SLOTS: Broadcast[Slots, SlotsFound] = Broadcast(
    Leg("slots", "search", Slots, (_CONSUMER,), _PROVIDER, ("search",), urgency=_SEARCH),
    Leg(
        "slots_found",
        "on_search",
        SlotsFound,
        (_PROVIDER,),
        _CONSUMER,
        ("on_search",),
        urgency=_SEARCH,
        answers="slots",
        limits=CATALOGUE,
    ),
)
"""The second search: straight to one provider, for the free slots of one doctor."""

SELECT: Question[Select, OnSelect] = _question("select", (Select, OnSelect), (_OFFER, _OFFER), single_shot=False)
INIT: Question[Init, OnInit] = _question(
    "init", (Init, OnInit), (_OFFER, _OFFER), single_shot=True, check=_names_a_slot
)
CONFIRM: Question[Confirm, OnConfirm] = _question(
    "confirm", (Confirm, OnConfirm), (_ORDER, _ORDER), single_shot=True, check=_has_order, audit="on_confirm_audit"
)
STATUS: Question[Status, OnStatus] = _question(
    "status", (Status, OnStatus), (_ASKED, _ORDER), single_shot=False, check=_has_order, audit="on_status_audit"
)
"""Its answer may also come unasked (`STATUS_NEWS`): one form, one check."""
CANCEL: Question[Cancel, OnCancel] = _question(
    "cancel", (Cancel, OnCancel), (_ORDER, _ORDER), single_shot=True, check=_has_order, audit="on_cancel_audit"
)

UPDATED: Notice[Updated] = _notice(
    "updated", "on_update", Updated, _PROVIDER, urgency=_ORDER, audit="on_update_audit", check=_has_order
)
"""News of an appointment, provider to consumer: started, completed, no-show."""

REPORTED: Notice[Reported] = _notice(
    "reported", "on_update", Reported, _CONSUMER, urgency=_ORDER, check=_is_doctor_no_show
)
"""The one state a consumer may set, consumer to provider: DOCTOR_NO_SHOW."""

STATUS_NEWS: Notice[OnStatus] = _notice(
    "status_news", "on_status", OnStatus, _PROVIDER, urgency=_ORDER, audit="on_status_audit", check=_has_order
)
CANCELLED: Notice[OnCancel] = _notice(
    "cancelled", "on_cancel", OnCancel, _PROVIDER, urgency=_ORDER, audit="on_cancel_audit", check=_has_order
)
"""A cancellation the provider makes of its own accord."""

TO_CONSUMER: Notice[MessageToConsumer] = _notice(
    "to_consumer", "on_message", MessageToConsumer, _PROVIDER, urgency=_ORDER, limits=CHAT
)
TO_PROVIDER: Notice[MessageToProvider] = _notice(
    "to_provider", "on_message", MessageToProvider, _CONSUMER, urgency=_ORDER, limits=CHAT
)


def _audit(path: str, kind: type[M]) -> Notice[M]:
    callback = path.removesuffix("_audit")
    return Notice(Leg(path, path, kind, (_PROVIDER,), _GATEWAY, (callback, path), urgency=_ORDER))


ON_CONFIRM_AUDIT = _audit("on_confirm_audit", OnConfirmAudit)
ON_STATUS_AUDIT = _audit("on_status_audit", OnStatusAudit)
ON_UPDATE_AUDIT = _audit("on_update_audit", OnUpdateAudit)
ON_CANCEL_AUDIT = _audit("on_cancel_audit", OnCancelAudit)

_ANYBODY = (_CONSUMER, _PROVIDER, _GATEWAY)
LOOKUP: Leg[Lookup] = Leg("lookup", "lookup", Lookup, _ANYBODY, Role.REGISTRY, urgency=_ASKED, has_context=False)
"""Context-free, and answered at once with records instead of an ACK."""

PROVIDER_LOOKUP: Leg[ProviderLookup] = Leg(
    "lookup/providers",
    "lookup/providers",
    ProviderLookup,
    (_GATEWAY,),
    Role.REGISTRY,
    urgency=_ASKED,
    has_context=False,
)
"""The gateway's question for whom a search concerns."""

_TALK: tuple[Leg[Wire], ...] = tuple(
    leg for action in (SEARCH, SLOTS, SELECT, INIT, CONFIRM, STATUS, CANCEL) for leg in (action.request, action.answer)
)
_NEWS: tuple[Leg[Wire], ...] = (
    UPDATED.leg,
    REPORTED.leg,
    STATUS_NEWS.leg,
    CANCELLED.leg,
    TO_CONSUMER.leg,
    TO_PROVIDER.leg,
)


def legs_of(receiver: Role) -> tuple[Leg[Wire], ...]:
    """Every leg of the protocol that arrives at a consumer or a provider, handled or not."""
    return tuple(leg for leg in (*_TALK, *_NEWS) if leg.receiver is receiver)


__all__ = ["Broadcast", "Decline", "Leg", "Limits", "Notice", "Question", "Urgency", "legs_of"]
__all__ += ["CATALOGUE", "CHAT", "KIB", "ORDINARY"]
__all__ += ["SEARCH", "SLOTS", "SELECT", "INIT", "CONFIRM", "STATUS", "CANCEL", "UPDATED", "REPORTED", "STATUS_NEWS"]
__all__ += ["CANCELLED", "TO_CONSUMER", "TO_PROVIDER", "LOOKUP", "PROVIDER_LOOKUP"]
__all__ += ["ON_CONFIRM_AUDIT", "ON_STATUS_AUDIT", "ON_UPDATE_AUDIT", "ON_CANCEL_AUDIT"]
