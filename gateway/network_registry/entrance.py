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
from uhi.errors import INTERNAL, PATH_UNKNOWN, RECORD_UNKNOWN, Refusal
from uhi.exchange import Trust, authenticate
from uhi.exchange.entrance import JSON, Manners, nack_reply, unforeseen
from uhi.ports import CallLog, Clock, Direction, Hop, Inbound, Reply
from uhi.registry.memory import MemoryRegistry
from uhi.subscribers import Role

log = logging.getLogger(__name__)

_NOBODY = "?"


class RegistryEntrance:
    """Answers lookups from its own members, and lets those members ask: the registry trusts what it holds."""

    def __init__(self, subscriber_id: str, members: MemoryRegistry, *, clock: Clock, log: CallLog) -> None:
        self._members = members
        self._trust = Trust(subscriber_id, Role.REGISTRY, members, clock)
        self._manners = Manners(subscriber_id)
        self._log = log

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
            return self._refused(refusal, inbound.path, started, sender)
        except Exception as error:
            return self._refused(unforeseen(error), inbound.path, started, sender)
        self._write(inbound.path, started, sender, None)
        return Reply(200, JSON, strict_json.write(rows))

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for what a server refuses itself; see `uhi.ports.Entrance`."""
        return self._refused(refusal, path, self._trust.clock.now(), _NOBODY)

    async def _answer(self, inbound: Inbound) -> tuple[str, list[Row]]:
        if inbound.path == LOOKUP.path:
            asked = await authenticate(inbound, LOOKUP, self._trust)
            known = self._members.with_id(asked.message.subscriber_id)
            return asked.sender.id, rows_for(asked.message, known)
        if inbound.path == PROVIDER_LOOKUP.path:
            searched = await authenticate(inbound, PROVIDER_LOOKUP, self._trust)
            return searched.sender.id, provider_rows(searched.message, self._members.members())
        raise Refusal(PATH_UNKNOWN)

    def _refused(self, refusal: Refusal, path: str, started: float, sender: str) -> Reply:
        self._write(path, started, sender, refusal)
        log.log(
            logging.ERROR if refusal.fault is INTERNAL else logging.WARNING,
            "refused: %s",
            refusal,
            extra={"path": path[:64], "error_type": refusal.fault.type, "http_status": refusal.fault.status},
        )
        return nack_reply(refusal, self._manners)

    def _write(self, path: str, started: float, sender: str, refusal: Refusal | None) -> None:
        self._log.write(
            Hop(
                at=started,
                direction=Direction.IN,
                sender=sender,
                receiver=self._trust.subscriber_id,
                action=path[:64],
                transaction_id="",
                message_id="",
                outcome=refusal.fault.type if refusal else "ACK",
                status=refusal.fault.status if refusal else 200,
                ms=(self._trust.clock.now() - started) * 1_000,
                detail=str(refusal or ""),
            )
        )
