"""How tasks that talk with servers end.

On Python 3.11 a cancellation that meets an answer within `asyncio.wait_for`, which clients of servers use, is
swallowed: the task goes on as if nothing had been asked of it.
"""

from __future__ import annotations

import asyncio

_SECONDS = 1.0


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_SECONDS)


def is_cancelled() -> bool:
    """Whether the running task was asked to end, also where that was swallowed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
