"""The searches that may still be answered, by whom and until when."""

from __future__ import annotations

import pytest

from gateway.open_searches import OpenSearch, OpenSearches
from uhi.subscribers import Role, Subscriber

NOW = 1_790_000_000.0


def search(
    consumer: str = "app", transaction: str = "t-1", *, asked: str = "clinic", until: float = NOW + 60
) -> OpenSearch:
    entry = Subscriber(consumer, Role.CONSUMER, f"https://{consumer}.example")
    return OpenSearch(entry, transaction, "m-1", frozenset(asked.split()), until)


def searches(*opened: OpenSearch, most: int = 100_000) -> OpenSearches:
    made = OpenSearches(most=most)
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


def test_open_searches_are_bounded():
    """Ours: the oldest give way, and leave nothing behind."""
    opened = searches(*(search(transaction=str(number)) for number in range(100)), most=10)

    assert len(opened) == 10
    assert len(opened._consumers) == 10
    assert opened.find("app", "99", provider_id="clinic", now=NOW) is not None
