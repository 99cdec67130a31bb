"""Asks the practice as a patient's app would, through a gateway, and asserts what comes back."""

import asyncio

from examples.own_first_provider.provider import handlers
from uhi import Declined, DeliveryError, Participant, Verified
from uhi.actions import SEARCH, SLOTS, STATUS
from uhi.booking import DoctorQuery, Window
from uhi.booking.intents import LONGEST_WINDOW, write_search, write_slots
from uhi.booking.speaker import moment
from uhi.faults import NOT_IMPLEMENTED, ORDER_UNKNOWN
from uhi.messages import OnSearch, Order, Status
from uhi.testing import Network


async def main() -> None:
    async with Network() as net:
        practice, app = await net.provider("skin.example"), await net.consumer("app.example")
        practice.include(handlers)
        week = Window(moment(net.clock), moment(net.clock) + LONGEST_WINDOW)

        assert await search(app, "CARDIOLOGY", week) is None
        found = await search(app, "DERMATOLOGY", week)
        assert found is not None
        assert found.sender.id == "skin.example"
        assert found.via is not None

        answer = await app.ask(STATUS, Status(order=Order(id="no-such-order")), found.thread)
        assert isinstance(answer, Declined)
        assert answer.error.code == ORDER_UNKNOWN.code
        print("status of an unknown order:", answer.error.message)

        offered = found.message.catalog.readable[0]
        try:
            await app.ask(SLOTS, write_slots(offered, week), found.thread)
        except DeliveryError as error:
            assert (error.status, error.code) == (NOT_IMPLEMENTED.status, NOT_IMPLEMENTED.code)
            print("an action without a handler:", error)


async def search(app: Participant, speciality: str, window: Window) -> Verified[OnSearch] | None:
    """The first answer, None where nobody answers within two seconds (of the network's clock, which jumps)."""
    question = write_search(DoctorQuery(speciality=speciality), window)
    async for answer in app.ask(SEARCH, question, wait=2):
        if isinstance(answer, Verified):
            print(f"{speciality}: {answer.sender.id} answers")
            return answer
    print(f"{speciality}: nobody answers")
    return None


if __name__ == "__main__":
    asyncio.run(main())
