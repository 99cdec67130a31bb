"""Which leg of the protocol a POST is: by role, path, and forwarded or direct."""

from __future__ import annotations

import pytest

import uhi.actions
from uhi.actions import (
    CANCEL,
    CANCELLED,
    INIT,
    REPORTED,
    SEARCH,
    SLOTS,
    STATUS,
    STATUS_NEWS,
    TO_CONSUMER,
    UPDATED,
    legs_of,
)
from uhi.errors import Refusal
from uhi.exchange.legs import Legs, paste
from uhi.faults import NOT_IMPLEMENTED, PATH_UNKNOWN
from uhi.subscribers import Role

CONSUMER = Legs(legs_of(Role.CONSUMER))
PROVIDER = Legs(legs_of(Role.PROVIDER))

PLACES = [
    (PROVIDER, "search", True, [SEARCH.request]),
    (PROVIDER, "search", False, [SLOTS.request]),
    (PROVIDER, "init", False, [INIT.request]),
    (PROVIDER, "on_update", False, [REPORTED.leg]),
    (CONSUMER, "on_search", True, [SEARCH.answer]),
    (CONSUMER, "on_search", False, [SLOTS.answer]),
    (CONSUMER, "on_status", False, [STATUS.answer, STATUS_NEWS.leg]),
    (CONSUMER, "on_cancel", False, [CANCEL.answer, CANCELLED.leg]),
    (CONSUMER, "on_update", False, [UPDATED.leg]),
    (CONSUMER, "on_message", False, [TO_CONSUMER.leg]),
]


@pytest.mark.parametrize(("legs", "path", "forwarded", "expected"), PLACES)
def test_path_and_way_lead_to_the_legs_answers_first(legs, path, forwarded, expected):
    """Decision 4 (first or second search) and decision 18 (what is asked for before what comes unasked)."""
    assert list(legs.at(path, forwarded=forwarded)) == expected


def test_what_shares_a_place_shares_its_form():
    """Ours: the body is parsed once, so an answer and a notice at one place have one message kind and one limit."""
    for role in (Role.CONSUMER, Role.PROVIDER):
        for leg in legs_of(role):
            for other in Legs(legs_of(role)).at(leg.path, forwarded=leg.forwarded):
                assert (other.kind, other.limits, other.accepts) == (leg.kind, leg.limits, leg.accepts)


@pytest.mark.parametrize("path", ["", "innit", "init/", "/init", "INIT", "on_init", "../search", "x" * 10_000])
def test_path_that_is_not_served_is_refused(path):
    """Error table: 404."""
    with pytest.raises(Refusal) as raised:
        PROVIDER.at(path, forwarded=False)

    assert raised.value.fault is PATH_UNKNOWN
    assert len(str(raised.value)) < 500


def test_message_that_comes_the_other_way_is_refused():
    """UHI guide 2.1: an init does not come through a gateway."""
    with pytest.raises(Refusal) as raised:
        PROVIDER.at("init", forwarded=True)

    assert raised.value.fault is NOT_IMPLEMENTED


def test_nobody_handles_is_refused_with_the_handler_to_paste():
    """Ours: the answer to a missing handler is the handler."""
    legs = Legs(legs_of(Role.PROVIDER), is_handled=lambda leg: leg is SEARCH.request)

    with pytest.raises(Refusal) as raised:
        legs.handled(legs.at("init", forwarded=False))

    assert raised.value.fault is NOT_IMPLEMENTED
    assert "@app.on(INIT)" in raised.value.next_step
    assert legs.handled(legs.at("search", forwarded=True)) == (SEARCH.request,)


def test_only_the_handled_of_two_is_left():
    """Ours: without a handler for news, on_status is an answer."""
    legs = Legs(legs_of(Role.CONSUMER), is_handled=lambda leg: bool(leg.answers))

    assert legs.handled(legs.at("on_status", forwarded=False)) == (STATUS.answer,)


@pytest.mark.parametrize(
    ("leg", "first"),
    [(INIT.request, "@app.on(INIT)"), (INIT.answer, "@app.on(INIT.answer)"), (STATUS_NEWS.leg, "@app.on(STATUS_NEWS)")],
)
def test_handler_to_paste_is_python(leg, first):
    """Ours: pasted, it compiles, and its decorator names an action that exists."""
    text = paste(leg).partition("\n")[2]

    assert text.startswith(first)
    compile(text, "pasted", "exec")
    assert hasattr(uhi.actions, first.removeprefix("@app.on(").removesuffix(")").partition(".")[0])


def test_each_path_takes_the_largest_body_of_its_legs():
    """Limits table."""
    assert CONSUMER.paths["on_search"] == 4 * 1024 * 1024
    assert PROVIDER.paths == {path: 8_388_608 if path == "on_message" else 262_144 for path in PROVIDER.paths}
