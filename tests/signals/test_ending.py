"""The end of tasks that talk with servers."""

from __future__ import annotations

import asyncio

from uhi.signals.ending import end


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same(monkeypatch):
    """Ours: on Python 3.11 a client's answer may come in the moment of the cancellation, and hide it."""
    monkeypatch.setattr("uhi.signals.ending._SECONDS", 0.01)
    swallowed = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)
                if len(swallowed) == 3:
                    raise

    task = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)

    await end(task)

    assert task.cancelled()
    assert len(swallowed) == 3
