"""Whom a search concerns, and who has his turn when there are too many."""

from __future__ import annotations

import gc
import weakref

import pytest

from gateway.matching import Audiences, MatchRules, cut, match, wanted
from uhi.messages import Context
from uhi.subscribers import Audience, Role, Subscriber

EVERYTHING = MatchRules(city=True, fulfilment_type=True)


def provider(name: str, *, cities: tuple[str, ...] = ("std:011",), kinds: tuple[str, ...] = ()) -> Subscriber:
    return Subscriber(name, Role.PROVIDER, f"https://{name}.example", cities=cities, fulfilment_types=kinds)


def search(city: str | None = "std:011", **intent: object) -> tuple[str, str]:
    found = wanted(Context(domain="d", action="search", message_id="m", city=city), intent)
    return found.city, found.fulfilment_type


@pytest.mark.parametrize(
    ("city", "intent", "expected"),
    [
        ("std:022", {"fulfillment": {"type": "Physical"}}, ("std:022", "Physical")),
        (None, {}, ("", "")),
        ("", {"fulfillment": None}, ("", "")),
        ("*", {"fulfillment": {}}, ("", "")),
        ("std:011", {"fulfillment": ["Physical"]}, ("std:011", "")),
        ("std:011", {"fulfillment": {"type": {"a": 1}}}, ("std:011", "")),
        ("std:011", {"fulfillment": {"type": 7}}, ("std:011", "")),
    ],
)
def test_search_is_read_without_believing_its_form(city, intent, expected):
    """Decision 29: a relay looks at an opaque message; what it cannot read was not named."""
    assert search(city, **intent) == expected


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        (MatchRules(), "here there all online physical"),
        (MatchRules(city=True), "here all online physical"),
        (MatchRules(fulfilment_type=True), "here there all physical"),
        (EVERYTHING, "here all physical"),
    ],
)
def test_rules_narrow_the_registrys_list(rules, names):
    """Decision 25."""
    providers = [
        provider("here"),
        provider("there", cities=("std:022", "std:033")),
        provider("all", cities=("*",)),
        provider("online", kinds=("Online",)),
        provider("physical", kinds=("Online", "Physical")),
    ]

    found = match(providers, wanted(_context("std:011"), {"fulfillment": {"type": "Physical"}}), rules)

    assert [each.id for each in found.members] == names.split()
    assert found.ids == set(names.split())


def _context(city: str) -> Context:
    return Context(domain="d", action="search", message_id="m", city=city)


@pytest.mark.parametrize("city", ["", "*"])
def test_search_for_no_city_concerns_every_city(city):
    """Decision 25: `*` is allowed."""
    providers = [provider("here"), provider("there", cities=("std:022",))]

    assert len(match(providers, wanted(_context(city), {}), EVERYTHING).members) == 2


def test_nobody_is_asked_twice():
    """Ours: two registry rows of one subscriber are one target."""
    found = match([provider("a"), provider("b"), provider("a")], wanted(_context(""), {}), MatchRules())

    assert [each.id for each in found.members] == ["a", "b"]


def test_match_is_remembered_for_one_list_and_no_longer():
    """Ours: another list of the registry is matched anew, also where it equals the old one."""
    audiences = Audiences(MatchRules(city=True))
    first, second = [provider("a")], [provider("a"), provider("b")]
    asked = wanted(_context("std:011"), {})

    assert audiences.of(first, asked) is audiences.of(first, asked)
    assert audiences.of(second, asked).ids == {"a", "b"}
    assert audiences.of(first, wanted(_context("std:022"), {})).ids == frozenset()


def test_a_replaced_list_is_let_go():
    """Ours: the registry's list comes anew every 30 seconds, and an old one must not stay in memory."""
    audiences, old = Audiences(MatchRules()), Held([provider("a")])
    gone = weakref.ref(old)
    audiences.of(old, wanted(_context(""), {}), place=("d", "IND"))

    audiences.of([provider("a")], wanted(_context(""), {}), place=("d", "IND"))
    del old
    gc.collect()

    assert gone() is None


class Held(list):
    """A list that a weak reference can watch."""


def test_memory_of_matches_is_bounded():
    """Ours: a flood of made-up cities and domains costs no memory."""
    audiences, providers = Audiences(MatchRules(city=True), most=10, places=5), [provider("a")]

    for number in range(1_000):
        audiences.of(providers, wanted(_context(f"c{number}"), {}), place=(f"d{number % 20}", "IND"))

    assert len(audiences._known) <= 5
    assert all(len(each.audiences) <= 10 for each in audiences._known.values())


@pytest.mark.parametrize(("kind", "domain"), [("x" * 65, "d"), ("Physical", "x" * 65)])
def test_long_text_of_a_search_is_matched_and_not_remembered(kind, domain):
    """Ours: a peer's text of any length is no key of a memory."""
    audiences, providers = Audiences(EVERYTHING), [provider("a", kinds=("Online", kind))]

    found = audiences.of(providers, wanted(_context("std:011"), {"fulfillment": {"type": kind}}), place=(domain, "IND"))

    assert found.ids == {"a"}
    assert audiences._known == {}


def test_small_audience_is_not_cut():
    """Decision 23."""
    audience = Audience.of([provider("a"), provider("b")])

    assert cut(audience, 2, 7) is audience


@pytest.mark.parametrize(("size", "limit"), [(3, 2), (5, 2), (6, 4), (7, 1), (25, 20)])
def test_everybody_has_his_turn(size, limit):
    """Decision 23: a rotating order, so that nobody is always last."""
    audience = Audience.of(provider(str(number)) for number in range(size))

    turns = [cut(audience, limit, turn) for turn in range(size)]

    assert {len(turn.members) for turn in turns} == {limit}
    assert all(turn.ids == {each.id for each in turn.members} for turn in turns)
    reached = [sum(name in turn.ids for turn in turns) for name in sorted(audience.ids)]
    assert max(reached) - min(reached) <= limit
    assert min(reached) > 0
