"""What the how-to on events shows to other systems."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path

from redis.asyncio import Redis

from tests.signals.hearing import Hearer
from uhi.ports import Event
from uhi.signals.broker_events import BrokerEvents
from uhi.signals.ending import end

SNIPPET = Path(__file__).parents[2] / "docs" / "snippets" / "read_events.py"


async def test_the_reader_of_the_how_to_gets_each_event_and_what_it_left_behind(redis_url):
    """How-to on events: a reader that died gets what it had not finished, then what is new."""
    read_events = runpy.run_path(str(SNIPPET))["read_events"]
    sink, client = BrokerEvents(redis_url), Redis.from_url(redis_url)
    heard = Hearer()
    await sink.publish([Event("01", "message.accepted", 1_790_000_000.0)])
    await client.xgroup_create("uhi.events", "billing", id="0")
    await client.xreadgroup("billing", "billing-1", {"uhi.events": ">"})

    reader = asyncio.ensure_future(read_events(client, lambda event: heard(event["id"])))
    left = await heard.next()
    await sink.publish([Event("02", "message.delivered", 1_790_000_001.0)])
    new = await heard.next()

    assert (left, new) == ("01", "02")
    await end(reader)
    await client.aclose()
    await sink.aclose()
