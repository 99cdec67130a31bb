"""The registry's entrance: a signed question in, the rows or a NACK out, and a line in the call log.

A door of its own, without conversations: steps 1–6 by `authenticate`, then the answer at once. Any exception is caught
here, as at every door. Above: `bootstrap`; below: `lookup`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from gateway.network_registry.lookup import Row, provider_rows, rows_for
from uhi import strict_json
from uhi.actions import LOOKUP, PROVIDER_LOOKUP
from uhi.errors import PATH_UNKNOWN, RECORD_UNKNOWN, Refusal
from uhi.exchange import Trust, authenticate
from uhi.exchange.entrance import JSON, Ledger, Manners, unforeseen
from uhi.ports import CallLog, Clock, Inbound, Reply
from uhi.registry.memory import MemoryRegistry
from uhi.subscribers import Role

_NOBODY = "?"


class RegistryEntrance:
    """Answers lookups from its own members, and lets those members ask: the registry trusts what it holds."""

    def __init__(self, subscriber_id: str, members: MemoryRegistry, *, clock: Clock, log: CallLog) -> None:
        self._members = members
        self._trust = Trust(subscriber_id, Role.REGISTRY, members, clock)
        self._ledger = Ledger(Manners(subscriber_id), log, clock, logging.getLogger(__name__))

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, with the most bytes of a body."""
        return {leg.path: leg.limits.body for leg in (LOOKUP, PROVIDER_LOOKUP)}

    async def take(self, inbound: Inbound) -> Reply:
        """Answer one lookup; see `uhi.ports.Entrance`."""
        started = self._trust.clock.now()
        sender = _NOBODY
        try:
            sender, rows = await self._answer(inbound)
            if not rows:
                raise Refusal(RECORD_UNKNOWN, f"nobody fits what {sender} asked for")
        except Refusal as refusal:
            refusal.about = (sender, "", "")
            return self._ledger.refused(refusal, inbound, started)
        except Exception as error:
            failure = unforeseen(error)
            failure.about = (sender, "", "")
            return self._ledger.refused(failure, inbound, started)
        self._ledger.write(inbound, started, (sender, "", ""), "ACK")
        return Reply(200, JSON, strict_json.write(rows))

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._ledger.refused(refusal, Inbound(path, {}, b""), self._trust.clock.now())

    async def _answer(self, inbound: Inbound) -> tuple[str, list[Row]]:
        if inbound.path == LOOKUP.path:
            asked = await authenticate(inbound, LOOKUP, self._trust)
            known = self._members.with_id(asked.message.subscriber_id)
            return asked.sender.id, rows_for(asked.message, known)
        if inbound.path == PROVIDER_LOOKUP.path:
            searched = await authenticate(inbound, PROVIDER_LOOKUP, self._trust)
            return searched.sender.id, provider_rows(searched.message, self._members.members())
        raise Refusal(PATH_UNKNOWN)
