"""Read the events of UHI programs from Redis, as one of a group of readers that share the work; without `uhi`."""

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

STREAM, GROUP, READER = "uhi.events", "billing", "billing-1"


async def read_events(redis: Redis, handle: Callable[[dict[str, object]], None]) -> None:
    with suppress(ResponseError):  # the group is there already
        await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    since = "0"  # first what this reader had and did not finish, then what is new
    while True:
        found: Any = await redis.xreadgroup(GROUP, READER, {STREAM: since}, count=100, block=2_000)
        entries = [entry for of_stream in dict(found or ()).values() for entry in of_stream]
        for entry_id, fields in entries:
            handle(json.loads(fields[b"__data__"]))
            await redis.xack(STREAM, GROUP, entry_id)
        since = since if entries else ">"


async def main() -> None:
    async with Redis.from_url(os.environ["UHI_EVENTS_URL"]) as redis:
        await read_events(redis, lambda event: print(event["at"], event["kind"], event["facts"]))


if __name__ == "__main__":
    asyncio.run(main())
