"""Events as other systems see them."""

from __future__ import annotations

import json

from uhi.ports import Event
from uhi.signals.events import MemoryEvents, body_of, subject_of

ACCEPTED = Event("01", "message.accepted", 1_790_000_000.25, {"action": "confirm", "message_id": "m1"})


def test_an_event_is_plain_json_with_a_time_in_utc():
    """How-to on events: id, kind, at, facts; readable without this library."""
    assert json.loads(body_of(ACCEPTED)) == {
        "id": "01",
        "kind": "message.accepted",
        "at": "2026-09-21T14:13:20.250Z",
        "facts": {"action": "confirm", "message_id": "m1"},
    }
    assert subject_of(ACCEPTED) == "uhi.events.message.accepted"


async def test_the_last_events_are_kept_in_memory_and_told_as_they_come():
    """Ours: an embedding program gets each by a call, a test looks at what was."""
    told = []
    sink = MemoryEvents(2, told=told.append)
    events = [Event(str(number), "message.accepted", 0.0) for number in range(3)]

    await sink.publish(events)
    await sink.aclose()

    assert told == events
    assert list(sink.events) == events[1:]
