"""Asks for the proofs of what waits: a challenge to every key at the callback address, and the page at the host.

In the background, started by an errand; nobody waits, and what fails is asked for again by the next one.
Below: `Register`, the Transport port; above: `bootstrap`. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from urllib.parse import urlsplit

from gateway.network_registry.posting import Post
from gateway.network_registry.register import Register
from gateway.network_registry.standing import Asking, Pending, Proof
from uhi import strict_json
from uhi.audit import Acting, ActorKind
from uhi.errors import DeliveryError, Refusal
from uhi.faults import CHALLENGE_FAILED
from uhi.ports import Fetch, Reply, Windows
from uhi.signing.beckn_challenge import public_half
from uhi.signing.site import LONGEST_PAGE, PAGE
from uhi.strict_json import JsonLimits

CHALLENGE_PATH = "on_subscribe"
SECONDS = 10.0

_LIMITS = JsonLimits(depth=4, nodes=50)
_PAGE_TRIES, _AN_HOUR = 5, 3_600
# Of the pool's 256 connections the larger part stays free to tell members of changes, however slow applicants are.
_ROUNDS_AT_ONCE = 12
_MOST_REMEMBERED = 10_000
_PROVING = Acting(actor="registry", kind=ActorKind.SYSTEM)

log = logging.getLogger(__name__)


class Proofs:
    """Asks, one round per subscriber at a time. `post` sends challenges, `pages` fetches the page of a host.

    A challenge is tried as often as the register allows, a page five times an hour, counted in `windows`.
    """

    def __init__(self, register: Register, post: Post, pages: Fetch, windows: Windows) -> None:
        self._register = register
        self.post = post
        self._pages = pages
        self._windows = windows
        self._slots = asyncio.Semaphore(_ROUNDS_AT_ONCE)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._problems: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def begin(self, subscriber_id: str) -> None:
        """Ask this subscriber for what is missing; returns at once. Asked for during a round, another one follows."""
        if subscriber_id in self._under_way:
            self._again.add(subscriber_id)
            return
        self._under_way[subscriber_id] = asyncio.create_task(self._rounds(subscriber_id))

    def problems(self, subscriber_id: str) -> tuple[str, ...]:
        """Why the latest round did not prove everything, for the subscriber itself; empty when it did."""
        return self._problems.get(subscriber_id, ())

    async def idle(self) -> None:
        """Return when nobody is being asked any more."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def aclose(self) -> None:
        """Give up the rounds under way."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _rounds(self, subscriber_id: str) -> None:
        try:
            while True:
                self._again.discard(subscriber_id)
                async with self._slots:
                    await self._round(subscriber_id)
                if subscriber_id not in self._again:
                    break
        except Refusal as refusal:
            log.warning("the proofs of %s were not asked for: %s", subscriber_id, refusal)
        finally:
            self._again.discard(subscriber_id)
            self._under_way.pop(subscriber_id, None)

    async def _round(self, subscriber_id: str) -> None:
        standing = await self._register.standing(subscriber_id)
        waiting = standing.pending
        if waiting is None:
            return
        problems: list[str] = []
        if any(missing != "site" for missing in waiting.unproven):
            problems += await self._challenges(subscriber_id)
        if "site" in waiting.unproven:
            problems += await self._site(waiting)
        self._note(subscriber_id, problems)

    async def _challenges(self, subscriber_id: str) -> list[str]:
        try:
            askings = await self._register.new_challenges(subscriber_id)
        except Refusal as refusal:
            return [f"challenge: {refusal}"]
        outcomes = await asyncio.gather(*(self._challenge(asking) for asking in askings))
        return [problem for problem in outcomes if problem]

    async def _challenge(self, asking: Asking) -> str:
        challenge = asking.challenge
        try:
            question = _question(asking, self._register.rules.encryption_key)
            reply = await self.post.ask(f"{asking.url}/{CHALLENGE_PATH}", question, seconds=SECONDS)
            proof = _proof(reply, asking)
            await self._register.prove(proof, acting=_PROVING)
        except (DeliveryError, Refusal) as error:
            log.info("key %s of %s is not proven: %s", challenge.key_id, challenge.subscriber_id, error)
            return f"key {challenge.key_id}: {error}"
        return ""

    async def _site(self, waiting: Pending) -> list[str]:
        subscriber_id, host = waiting.wanted.subscriber.id, urlsplit(waiting.wanted.subscriber.url).hostname or ""
        wait = await self._windows.hit(f"site of {subscriber_id}", most=_PAGE_TRIES, seconds=_AN_HOUR)
        if wait:
            return [f"site: fetched {_PAGE_TRIES} times within an hour; again in {int(wait) + 1} s"]
        try:
            page = await self._page(f"https://{host}{PAGE}")
            await self._register.site_checked(subscriber_id, page, host=host, acting=_PROVING)
        except (DeliveryError, Refusal) as error:
            return [f"site: {error}"]
        return []

    async def _page(self, url: str) -> str:
        reply = await self._pages.get(url, timeout=SECONDS, longest=LONGEST_PAGE)
        if reply.status != 200:
            raise DeliveryError(f"no page at {url}", got=f"HTTP {reply.status}", expected="HTTP 200")
        return reply.body.decode("ascii", errors="replace")

    def _note(self, subscriber_id: str, problems: list[str]) -> None:
        self._problems.pop(subscriber_id, None)
        if problems:
            self._problems[subscriber_id] = tuple(problems)
        if len(self._problems) > _MOST_REMEMBERED:
            self._problems.popitem(last=False)


def _question(asking: Asking, own_key: str) -> bytes:
    question: dict[str, object] = asdict(asking.challenge)
    if asking.encrypted:
        question |= {"challenge": asking.encrypted, "encr_public_key": public_half(own_key)}
    return strict_json.write(question)


def _proof(reply: Reply, asking: Asking) -> Proof:
    challenge = asking.challenge
    if reply.status != 200:
        raise Refusal(
            CHALLENGE_FAILED,
            "the challenge was not answered",
            got=f"HTTP {reply.status}",
            expected="HTTP 200 with challenge_id and signature",
            next_step="see that the program at the callback address is running with this key",
        )
    value = strict_json.parse(reply.body, _LIMITS)
    answer: Mapping[str, object] = value if isinstance(value, dict) else {}
    return Proof(
        challenge_id=challenge.challenge_id,
        subscriber_id=challenge.subscriber_id,
        key_id=challenge.key_id,
        signature=_text(answer, "signature"),
        answer=_text(answer, "answer"),
    )


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
