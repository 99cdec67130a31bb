"""The searches that may still be answered, by whom and until when."""

from __future__ import annotations

import pytest

from gateway.open_searches import OpenSearch, OpenSearches
from uhi.errors import OVERLOADED, RATE_LIMITED, Refusal
from uhi.subscribers import Role, Subscriber

NOW = 1_790_000_000.0


def search(
    consumer: str = "app", transaction: str = "t-1", *, asked: str = "clinic", until: float = NOW + 60
) -> OpenSearch:
    entry = Subscriber(consumer, Role.CONSUMER, f"https://{consumer}.example")
    return OpenSearch(entry, transaction, "m-1", frozenset(asked.split()), until)


def searches(*opened: OpenSearch, most: int = 100_000, most_each: int = 10_000) -> OpenSearches:
    made = OpenSearches(most=most, most_each=most_each)
    for each in opened:
        made.open(each)
    return made


@pytest.mark.parametrize("consumer", ["app", None, ""])
def test_search_is_found_for_a_provider_that_was_asked(consumer):
    """Decision 3: without a consumer id it is taken from the open transaction."""
    found = searches(search()).find(consumer, "t-1", provider_id="clinic", now=NOW)

    assert found.consumer.id == "app"


@pytest.mark.case("CB-03")
@pytest.mark.parametrize(
    ("consumer", "transaction", "provider", "now"),
    [
        ("app", "t-1", "other", NOW),
        ("app", "t-2", "clinic", NOW),
        ("second", "t-1", "clinic", NOW),
        (None, "t-2", "clinic", NOW),
        ("app", "t-1", "clinic", NOW + 60.1),
    ],
)
def test_anybody_else_and_any_other_time_finds_nothing(consumer, transaction, provider, now):
    """Decision 18: keyed by consumer and transaction, open to the providers asked, until it closes."""
    assert searches(search()).find(consumer, transaction, provider_id=provider, now=now) is None


def test_transaction_of_two_consumers_is_not_guessed():
    """Threat T16: an answer goes to nobody rather than to the wrong one."""
    opened = searches(search(), search("second"))

    assert opened.find(None, "t-1", provider_id="clinic", now=NOW) is None
    assert opened.find("second", "t-1", provider_id="clinic", now=NOW).consumer.id == "second"


def test_further_search_of_a_transaction_adds_to_the_first():
    """Decision 18: whoever was asked first may still answer."""
    opened = searches(search(until=NOW + 90), search(asked="other", until=NOW + 60))

    found = opened.find("app", "t-1", provider_id="clinic", now=NOW + 80)

    assert found.asked == {"clinic", "other"}
    assert len(opened) == 1


def test_closed_searches_are_forgotten():
    """Ours: looked through once in a while."""
    opened = searches(*(search(transaction=str(number), until=NOW + number) for number in range(30)))

    opened.close_passed(NOW + 20)

    assert len(opened) == 10
    assert opened.find(None, "5", provider_id="clinic", now=NOW) is None
    assert len(opened._consumers) == 10


def refusal_of(opened: OpenSearches, consumer: str, transaction: str = "new", *, now: float = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        opened.check_room(consumer, transaction, now=now)
    return caught.value


def test_consumer_with_too_many_open_searches_is_refused_and_no_other():
    """Ours: a bound for each consumer; nobody else's searches are pushed out."""
    opened = searches(search("second"), *(search(transaction=str(number)) for number in range(10)), most_each=10)

    refusal = refusal_of(opened, "app")

    opened.check_room("second", "new", now=NOW)
    opened.check_room("app", "3", now=NOW)
    assert (refusal.fault, refusal.retry_after) == (RATE_LIMITED, 10)
    assert opened.find("second", "t-1", provider_id="clinic", now=NOW) is not None
    assert len(opened) == 11


def test_full_gateway_refuses_and_forgets_nobody():
    """Ours: overload is told to whoever comes, not suffered by whoever waits."""
    opened = searches(*(search(f"app-{number}") for number in range(10)), most=10)

    refusal = refusal_of(opened, "one-more")

    assert (refusal.fault, refusal.retry_after) == (OVERLOADED, 10)
    assert opened.find("app-0", "t-1", provider_id="clinic", now=NOW) is not None


def test_there_is_room_again_when_searches_have_closed():
    """Ours: closed searches are looked for before anybody is refused."""
    opened = searches(*(search(transaction=str(number)) for number in range(10)), most=10, most_each=10)

    opened.check_room("app", "new", now=NOW + 61)

    assert len(opened) == 0
    assert opened._counts == {}
