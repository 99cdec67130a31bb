"""A hospital that takes one booking and is killed: `python dying.py DATABASE-URL FOLDER`, run by `test_flow`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.participants.hospital.house import ASHA, House


async def main(url: str, folder: Path) -> None:
    async with House.open(url, folder) as house:
        await house.settle_in()
        booking = await house.book(ASHA)
        told = {"order": booking.order_id, "pin": booking.pin, "start": booking.slot.start.timestamp()}
        print(json.dumps({**told, "slot": booking.slot.id, "organisations": house.organisations}), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
