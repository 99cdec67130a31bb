"""Our clinic in a whole network in this process: a registry, a gateway, and an app that asks. Real keys, no sockets."""

import asyncio

from clinic import handlers

from uhi import Verified
from uhi.actions import SEARCH
from uhi.messages import Search
from uhi.testing import Network

PHYSICAL_CONSULTATION = {
    "item": {"descriptor": {"code": "Consultation", "name": "Consultation"}},
    "fulfillment": {
        "type": "Physical",
        "start": {"time": {"timestamp": "2026-12-01T00:00:00"}},
        "end": {"time": {"timestamp": "2026-12-07T23:59:59"}},
    },
}


async def main() -> None:
    async with Network() as net:
        clinic = await net.provider("clinic.example")
        clinic.include(handlers)
        app = await net.consumer("app.example")

        search = Search.model_validate({"intent": PHYSICAL_CONSULTATION})
        async for answer in app.ask(SEARCH, search, wait=5):
            assert isinstance(answer, Verified)
            for facility in answer.message.catalog.readable:
                doctors = [each.agent.name for each in facility.fulfillments or [] if each.agent]
                print(f"{answer.sender.id} offers {', '.join(map(str, doctors))}")

        for hop in net.calls:
            if hop.direction.value == "out":
                print(f"  {hop.sender} -> {hop.receiver}: {hop.action}, {hop.outcome}")


if __name__ == "__main__":
    asyncio.run(main())
