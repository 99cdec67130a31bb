"""What the doors found out about a message, as JSON beside its bytes: enough to take it up again without the sender.

Pure. Above: `receive`, which alone makes verified messages of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import INTERNAL
from uhi.subscribers import Role, Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Who sent it, which way, in which conversation, and what it answers. `expires`, and `until`, the time when the
    question stops waiting, are Unix seconds."""

    sender: Subscriber
    via: Subscriber | None
    signed_by_sender: bool
    expires: int
    transaction_id: str
    consumer_id: str
    provider_id: str
    answers: str
    late: bool
    until: float = inf

    def write(self) -> bytes:
        """The facts as JSON."""
        via = [self.via.id, self.via.url] if self.via else None
        sender = [self.sender.id, self.sender.role.value, self.sender.url]
        return strict_json.write(
            {
                "sender": sender,
                "via": via,
                "signed": self.signed_by_sender,
                "expires": self.expires,
                "thread": [self.transaction_id, self.consumer_id, self.provider_id],
                "answers": self.answers,
                "late": self.late,
                "until": self.until if isfinite(self.until) else None,
            }
        )


def read_facts(raw: bytes) -> Facts:
    """The facts behind the JSON that `Facts.write` made. Subscribers have their id, role and address, no more.

    Raises: Refusal(INTERNAL) for facts in another form, such as those of another version.
    """
    try:
        return _facts(strict_json.parse(raw))
    except (Refusal, LookupError, TypeError, ValueError):
        raise Refusal(INTERNAL, "what is kept of a message cannot be read", next_step="report it as a bug") from None


def _facts(value: object) -> Facts:
    if not isinstance(value, dict):
        raise TypeError
    subscriber_id, role, url = _texts(value["sender"])
    via = _texts(value["via"]) if value["via"] else None
    transaction_id, consumer_id, provider_id = _texts(value["thread"])
    return Facts(
        sender=Subscriber(subscriber_id, Role(role), url),
        via=Subscriber(via[0], Role.GATEWAY, via[1]) if via else None,
        signed_by_sender=value["signed"] is True,
        expires=int(str(value["expires"])),
        transaction_id=transaction_id,
        consumer_id=consumer_id,
        provider_id=provider_id,
        answers=str(value["answers"]),
        late=value["late"] is True,
        until=_number(value.get("until")),
    )


def _number(value: object) -> float:
    # An older version wrote none.
    return float(value) if isinstance(value, int | float) else inf


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
