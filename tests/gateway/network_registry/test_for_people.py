"""What a registry does for its people beside its routes: forgets what is over, and offers only what it can do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.network_registry.program import registry_program
from tests.gateway.network_registry.scene import Scene, write_settings
from uhi.clock import SystemClock


class Hours:
    """A clock by which an hour is over at once, the first time."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.are_over = asyncio.Event()

    def now(self) -> float:
        return SystemClock().now()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > 1:
            self.are_over.set()
            await asyncio.Event().wait()


class People:
    """Counts how often it is tidied up after them."""

    def __init__(self) -> None:
        self.tidied = 0

    async def tidy(self) -> int:
        self.tidied += 1
        return 0

    async def aclose(self) -> None:
        """There is nothing to close."""


async def test_what_is_over_is_forgotten_every_hour(tmp_path):
    """Issue 4: codes, links and unfinished sign-ins are not kept."""
    program, hours, people = registry_program(write_settings(tmp_path)), Hours(), People()
    program.parts = replace(program.parts, world=replace(program.parts.world, clock=hours), people=people)

    await program.start()
    await asyncio.wait_for(hours.are_over.wait(), 10)
    await program.stop()
    await program.aclose()

    assert (people.tidied, hours.slept) == (2, [3_600.0, 3_600.0])


async def test_text_messages_are_not_offered_where_none_are_sent(tmp_path):
    """Ours: a registry without an SMS gateway has no route that would send one."""
    async with Scene(write_settings(tmp_path)) as scene:
        paths = {route.path for group in scene.program.routes() for route in group.all}

    assert {"/v1/account/factors/totp", "/v1/account/email"} < paths
    assert not paths & {"/v1/account/phone", "/v1/sign-in/code", "/v1/account/factors/sms/confirm"}
