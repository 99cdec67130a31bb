"""Our blood bank on a whole network in this process: what a patient's app finds in it."""

from dataclasses import replace
from datetime import datetime

from own_blood_bank import prepare

from uhi import Verified
from uhi.actions import SEARCH
from uhi.listing.blood import DOMAIN, StockQuery, read_stock, write_search
from uhi.messages import Search
from uhi.messages.values import IST
from uhi.network import CONSULTATION_DOMAIN
from uhi.testing import Network

DOMAINS = (DOMAIN, CONSULTATION_DOMAIN)


async def test_o_positive_is_found_with_its_count() -> None:
    """A search goes to everybody of the domain; who has nothing says nothing."""
    wanted = Search(intent=write_search(StockQuery(group="15", component="11"), now=datetime.now(IST)))
    async with Network() as net:
        await net.provider("blood.example", domains=DOMAINS, prepare=prepare)
        app = await net.consumer(domains=DOMAINS)
        in_this_domain = replace(app.new_thread(), domain=DOMAIN)
        answers = [answer async for answer in app.ask(SEARCH, wanted, in_this_domain, wait=1)]
        found = [each for answer in answers if isinstance(answer, Verified) for each in read_stock(answer.message)]

    assert [(each.bank.name, each.group_name, each.count) for each in found] == [("Hill Blood Centre", "O+Ve", 6)]
