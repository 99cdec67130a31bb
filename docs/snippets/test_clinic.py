"""Tests of our clinic: a whole network in this process, a clock that jumps, and faults on the way."""

from clinic import find_doctors, handlers
from first_provider import PHYSICAL_CONSULTATION

from uhi.actions import SEARCH
from uhi.messages import OnSearch, Search
from uhi.testing import Network, verified

A_SEARCH = Search.model_validate({"intent": PHYSICAL_CONSULTATION})


async def test_a_handler_alone_returns_a_catalogue() -> None:
    """Without a network: what the handler would get from the door, made by hand."""
    answer = await find_doctors(verified(A_SEARCH, action="search"))

    assert isinstance(answer, OnSearch)
    assert [each.id for each in answer.catalog.readable] == ["example-clinic"]


async def test_a_search_through_the_gateway_finds_our_clinic() -> None:
    """With a network: real keys, real signatures, the same bytes and headers as over HTTP."""
    async with Network() as net:
        clinic, app = await net.provider("clinic.example"), await net.consumer()
        clinic.include(handlers)

        found = {answer.sender.id async for answer in app.ask(SEARCH, A_SEARCH, wait=5)}

    assert found == {"clinic.example"}


async def test_a_search_that_breaks_on_the_way_arrives_all_the_same() -> None:
    """With faults: the first delivery is lost, the second one changed; the third one arrives, signed anew."""
    async with Network() as net:
        clinic, app = await net.provider("clinic.example"), await net.consumer()
        clinic.include(handlers)
        net.faults.drop("search", to=clinic.identity.me.url)
        net.faults.corrupt("search", to=clinic.identity.me.url)

        found = {answer.sender.id async for answer in app.ask(SEARCH, A_SEARCH, wait=20)}
        sent = [hop.outcome for hop in net.calls if hop.sender == "gateway.example" and hop.action == "search"]

    assert found == {"clinic.example"}
    assert sent == ["no answer", "AUT_SIGNATURE_INVALID", "ACK"]
