"""News of the registry's changes: as it is pushed to us, as values, and as one text between our own processes.

Pure. Above: `callbacks` (receives) and `network` (forgets). Source: decision 26, this network's `registry_changed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from uhi import strict_json
from uhi.messages.wire import Wire
from uhi.subscribers import SUBSCRIBED, KeyRef

_ROOM_FOR_KEYS = 500

_Seq = Annotated[int, Field(strict=True, ge=0)]
_Id = Annotated[str, Field(strict=True, min_length=1, max_length=255)]


class ChangedEntry(Wire):
    """One change: whom it concerns, and what is active of it now."""

    seq: _Seq
    subscriber_id: _Id
    type: str = ""
    status: _Id
    keys: list[_Id]


class RegistryChanged(Wire):
    """The body of `registry_changed`: the number of the registry's last change, and what changed."""

    registry_seq: _Seq
    changes: list[ChangedEntry]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one subscriber with the registry's change `seq`; `keys` are the ids of those active now."""

    seq: int
    subscriber_id: str
    status: str
    keys: frozenset[str]

    def ends(self, ref: KeyRef) -> bool:
        """Whether this key is active no more."""
        return ref.subscriber_id == self.subscriber_id and (self.is_over or ref.key_id not in self.keys)

    @property
    def is_over(self) -> bool:
        """Whether the subscriber is active no more."""
        return self.status != SUBSCRIBED


def changes_of(message: RegistryChanged) -> tuple[Change, ...]:
    """The changes of a push, in the registry's order."""
    found = (Change(each.seq, each.subscriber_id, each.status, frozenset(each.keys)) for each in message.changes)
    return tuple(sorted(found, key=lambda change: change.seq))


def write(change: Change) -> str:
    """A change as a short text for our other processes. Keys for which there is no room are looked up anew there."""
    keys = sorted(change.keys)
    while keys and sum(map(len, keys)) > _ROOM_FOR_KEYS:
        keys.pop()
    return strict_json.write([change.seq, change.subscriber_id, change.status, *keys]).decode()


def read(text: str) -> Change | None:
    """What `write` wrote; None for any other text, such as a bare subscriber id."""
    if not text.startswith("["):
        return None
    match strict_json.parse(text.encode()):
        case [int(seq), str(subscriber_id), str(status), *keys]:
            return Change(seq, subscriber_id, status, frozenset(map(str, keys)))
    return None
