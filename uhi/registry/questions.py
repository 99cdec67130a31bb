"""Questions to the network's registry: signed, sent once, and of the answers only those believed that are its own.

Above: `network`, which remembers; below: `answers` (signed ones), `replies` (what they mean), the Transport port.
Source: UHI `networkregistry/lookup`; decisions 16 (clock) and 26 (signed, numbered answers).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

from uhi import strict_json
from uhi.errors import DeliveryError, Refusal
from uhi.exchange.clock_offset import ClockOffset
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.ports import Clock, Reply, Transport
from uhi.registry.answers import read_signed
from uhi.registry.replies import away, read_unsigned, read_value
from uhi.signing import body_digest
from uhi.subscribers import Record

log = logging.getLogger(__name__)

_MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class LookupScope:
    """What a lookup must name beside the subscriber: registries find nothing when one is missing.

    A subscriber is looked for in each of the domains in turn, until it is found active.
    """

    domains: tuple[str, ...]
    country: str = "IND"
    city: str = "std:011"


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """The way to a registry: its base URL (`…/networkregistry`), our signatures, what we ask for, seconds to wait.

    With `trust` only answers that this registry signed are believed.
    """

    url: str
    stamps: Stamps
    scope: LookupScope
    timeout: float = 3.0
    trust: RegistryTrust | None = None


class Questions:
    """Where the registry's keys are pinned, an answer that it did not sign, to another question, or older than what was
    known when the question was sent counts as none: one line is logged and `ignored` grows.

    `answered_at` is when it last answered (Unix seconds, None: not yet), `seq` the number of its latest change that we
    know of (0 where it does not number them), `clock_offset` how far our clock is from its.
    """

    def __init__(self, access: RegistryAccess, *, transport: Transport, clock: Clock) -> None:
        self._access = access
        self._transport = transport
        self._clock = clock
        self._followed: int | None = None
        self.answered_at: float | None = None
        self.seq = 0
        self.ignored = 0
        self.clock_offset = ClockOffset(clock)
        self.clock_offset.ask_by(self._measure)

    @property
    def trust(self) -> RegistryTrust | None:
        """The registry's pinned keys, where there are any."""
        return self._access.trust

    def follow(self, seq: int) -> int:
        """Take note of a change that was pushed; returns how far it lies ahead of those we followed: 0 or less for one
        that is known, 1 for the next, more where others were missed."""
        ahead = seq - self._followed if self._followed is not None else seq + 2
        if ahead > 0:
            self._followed, self.seq = seq, max(self.seq, seq)
        return ahead

    async def ask(self, path: str, question: Mapping[str, str]) -> list[Record]:
        """The records that answer a question, none where the registry knows nobody.

        Raises: Refusal(REGISTRY_AWAY).
        """
        trust = self._access.trust
        if trust is None:
            records = read_unsigned(await self._sent(path, strict_json.write(question)))
            self.answered_at = self._clock.now()
            return records
        for _ in range(_MOST_TRIES):
            status, value, seq = await self._believed(path, question, trust)
            # A change that was pushed while the answer was on its way may be missing from it.
            if seq >= (self._followed or 0):
                return read_value(status, value)
        raise away("the registry's answers are overtaken by its changes")

    async def _believed(self, path: str, question: Mapping[str, str], trust: RegistryTrust) -> tuple[int, object, int]:
        """Status, value and number of a signed answer. Each question is another one, so that no answer serves twice."""
        body = strict_json.write({**question, "nonce": token_hex(16)})
        known, sent_at = self.seq, self._clock.now()
        reply = await self._sent(path, body)
        now = self._clock.now()
        try:
            value, marks = read_signed(reply, digest=body_digest(body), trust=trust)
        except Refusal as refusal:
            raise self._ignore(str(refusal), reply) from None
        if marks.seq < known:
            raise self._ignore(f"it is of change {marks.seq}, and {known} is known", reply)
        self.answered_at = now
        self.seq = max(self.seq, marks.seq)
        if self._followed is None:
            self._followed = marks.seq
        self.clock_offset.measured((sent_at + now) / 2 - marks.time, uncertainty=(now - sent_at) / 2)
        return reply.status, value, marks.seq

    async def _sent(self, path: str, body: bytes) -> Reply:
        access = self._access
        digest = body_digest(body)
        headers = {
            "Content-Type": "application/json",
            "Digest": f"BLAKE-512={digest}",
            "Authorization": access.stamps.header(digest, receiver=access.url, now=self._clock.now()),
        }
        try:
            return await self._transport.post(
                f"{access.url}/{path}", body=body, headers=headers, timeout=access.timeout
            )
        except DeliveryError as error:
            raise away(str(error)) from None

    def _ignore(self, why: str, reply: Reply) -> Refusal:
        self.ignored += 1
        log.error("an answer of the registry is not believed: %s", why, extra={"http_status": reply.status})
        return away("the registry's answer is not believed", got=f"HTTP {reply.status}")

    async def _measure(self) -> None:
        if self._access.trust is not None:
            scope = self._access.scope
            about_us = {"subscriber_id": self._access.stamps.signer.subscriber_id, "country": scope.country}
            with suppress(Refusal):
                await self._believed("lookup", about_us, self._access.trust)
