"""Transports for tests: straight into another participant's entrance, and one that does what networks do.

Nothing is faked behind them: the same doors, the same bytes, the same headers as over HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from uhi.errors import DeliveryError, Refusal
from uhi.faults import PATH_UNKNOWN as _PATH_UNKNOWN
from uhi.ports import READ_HEADERS, Clock, Entrance, Inbound, Reply, Transport
from uhi.testing.clock import FakeClock


@dataclass(slots=True)
class MemoryTransport:
    """Posts straight into the entrances by base URL, in one process without sockets."""

    clock: FakeClock
    entrances: dict[str, Entrance] = field(default_factory=dict)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        base = max((each for each in self.entrances if url.startswith(f"{each}/")), key=len, default=None)
        if base is None:
            raise DeliveryError("nobody listens there", got="connection refused")
        self.clock.touch()
        self.clock.busy += 1
        try:
            return await _take(self.entrances[base], url.removeprefix(f"{base}/"), body, headers)
        finally:
            self.clock.busy -= 1
            self.clock.touch()


async def _take(entrance: Entrance, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    if path not in entrance.paths:
        return entrance.refuse(Refusal(_PATH_UNKNOWN), path)
    known = {name.lower(): (value,) for name, value in headers.items() if name.lower() in READ_HEADERS}
    reply = await entrance.take(Inbound(path, known, body, "memory"))
    return Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body)


@dataclass(frozen=True, slots=True)
class Call:
    """One post that is about to happen."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    timeout: float

    @property
    def path(self) -> str:
        """The last part of the URL: `search`, `on_confirm`, …"""
        return self.url.rpartition("/")[2]


@dataclass(slots=True)
class _Fault:
    kind: str
    path: str
    to: str
    times: int
    value: float = 0.0
    reply: Reply | None = None
    changed: Callable[[Reply], Reply] = lambda reply: reply

    def hits(self, call: Call) -> bool:
        return self.times != 0 and self.path in ("", call.path) and call.url.startswith(self.to)


@dataclass(slots=True)
class Faults:
    """What goes wrong on the way, rule by rule; each rule holds for so many `times` (-1: always).

    `path` names the action's path and `to` the beginning of the receiver's URL; empty means any.
    """

    clock: Clock
    inner: Transport
    _rules: list[_Fault] = field(default_factory=list)
    _held: list[Call] = field(default_factory=list)
    _on_the_way: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def waiting(self) -> int:
        """How many posts are still on the way although their senders have given up."""
        return len(self._on_the_way)

    def drop(self, path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post never arrives."""
        self._rules.append(_Fault("drop", path, to, times))

    def lose_answer(self, path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post arrives, its answer does not."""
        self._rules.append(_Fault("lose", path, to, times))

    def delay(self, seconds: float, path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post arrives `seconds` later, also when its sender has given up by then."""
        self._rules.append(_Fault("delay", path, to, times, value=seconds))

    def duplicate(self, path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post arrives twice, header and all; the sender hears the second answer."""
        self._rules.append(_Fault("duplicate", path, to, times))

    def corrupt(self, path: str = "", *, to: str = "", times: int = 1) -> None:
        """One bit of the body is another on arrival."""
        self._rules.append(_Fault("corrupt", path, to, times))

    def reorder(self, path: str = "", *, to: str = "") -> None:
        """The next post is overtaken by the one after it; its sender hears no answer."""
        self._rules.append(_Fault("hold", path, to, 1))

    def answer(self, reply: Reply, path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post does not arrive; somebody answers this in its place."""
        self._rules.append(_Fault("answer", path, to, times, reply=reply))

    def alter(self, changed: Callable[[Reply], Reply], path: str = "", *, to: str = "", times: int = 1) -> None:
        """The post arrives; its answer is changed on the way back."""
        self._rules.append(_Fault("alter", path, to, times, changed=changed))

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._rules.clear()

    async def idle(self) -> None:
        """Return when nothing is on the way."""
        while self._on_the_way:
            await asyncio.wait(self._on_the_way)

    async def aclose(self) -> None:
        """Lose what is on the way."""
        self.heal()
        tasks = list(self._on_the_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        call = Call(url, body, headers, timeout)
        rule = next((each for each in self._rules if each.hits(call)), None)
        if rule is None:
            return await self._pass(call)
        rule.times -= 1 if rule.times > 0 else 0
        return await self._broken(rule, call)

    async def _broken(self, rule: _Fault, call: Call) -> Reply:
        if rule.reply is not None:
            return rule.reply
        if rule.kind == "delay":
            await self._delay(rule.value, call)
        elif rule.kind == "duplicate":
            await self._pass(call)
        elif rule.kind == "corrupt":
            middle = len(call.body) // 2
            flipped = bytes([call.body[middle] ^ 1])
            call = replace(call, body=call.body[:middle] + flipped + call.body[middle + 1 :])
        elif rule.kind == "hold":
            self._held.append(call)
        if rule.kind in ("drop", "hold"):
            raise _no_answer()
        reply = await self._pass(call)
        if rule.kind == "lose":
            raise _no_answer()
        return rule.changed(reply)

    async def _delay(self, seconds: float, call: Call) -> None:
        """Wait until the post arrives; beyond its timeout the sender stops waiting, and the post does not."""
        if seconds > call.timeout:
            self._send_on(call, seconds)
            await self.clock.sleep(call.timeout)
            raise _no_answer()
        await self.clock.sleep(seconds)

    def _send_on(self, call: Call, seconds: float) -> None:
        task = asyncio.ensure_future(self._arrive(seconds, call))
        self._on_the_way.add(task)
        task.add_done_callback(self._on_the_way.discard)

    async def _arrive(self, seconds: float, call: Call) -> None:
        await self.clock.sleep(seconds)
        with suppress(DeliveryError):
            await self._pass(call)

    async def _pass(self, call: Call) -> Reply:
        reply = await self._hand_over(call)
        held, self._held = self._held, []
        for late in held:
            self._send_on(late, 0.0)
        return reply

    async def _hand_over(self, call: Call) -> Reply:
        return await self.inner.post(call.url, body=call.body, headers=call.headers, timeout=call.timeout)


def _no_answer() -> DeliveryError:
    return DeliveryError("no answer", got="a broken network (by the test)")
