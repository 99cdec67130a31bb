"""What was said, kept on SQL: every word sealed, each message once, in the order in which it was said.

Above: `conversations`; below: `rows`, `uhi.storage.sql`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping

from uhi.conversation import rows
from uhi.conversation.messages import UNREADABLE, Attached, Kind, Message, read_sealed, write_sealed
from uhi.conversation.rows import Counted
from uhi.errors import SetupError
from uhi.ports import Letter
from uhi.storage.sealing import Sealing
from uhi.storage.sql.sealers import OneSealing, Sealers, sealings_of
from uhi.storage.sql.storage import SqlStorage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Some messages of a conversation, oldest first, and how far it has got."""

    messages: tuple[Message, ...]
    counted: Counted


class ChatBook:
    """The conversations of one subscriber, `owner`, on a database that may hold those of others too. `sealers` knows
    the keys of its accounts; without it everything is sealed with the program's.

    Every call that reads or writes a message raises Refusal(RECORD_MISSING) where its account's key is gone.
    """

    def __init__(self, storage: SqlStorage, *, owner: str, sealers: Sealers | None = None) -> None:
        self._storage = storage
        self._database = storage.database
        self._sealers = sealers or OneSealing(storage.ours.sealing)
        self._owner = owner

    async def known(self, message: Message) -> Message | None:
        """The message that is kept under this one's content id, if one is.

        Raises: Refusal(OVERLOADED).
        """

        def read(connection: Connection) -> Message | None:
            return self._opened(connection, rows.known(connection, self._place(message)))

        return await self._database.read(read)

    async def add(self, message: Message) -> Message:
        """Keep a message that came.

        Raises: MessageKnown; Refusal(OVERLOADED).
        """
        seq = await self._database.write(lambda connection: rows.append(connection, self._row(connection, message)))
        return replace(message, seq=seq)

    async def say(self, message: Message, letters: Sequence[Letter]) -> tuple[Message, Sequence[Letter]]:
        """Keep a message of ours and the letters that carry it, in one transaction; returns it, and the letters that
        this process has taken to send.

        Raises: MessageKnown; Refusal(OVERLOADED).
        """
        given = [0]

        def write(connection: Connection) -> None:
            given[0] = rows.append(connection, self._row(connection, message))

        mine = await self._storage.together(write, letters)
        return replace(message, seq=given[0]), mine

    async def page(self, order_id: str, *, before: int, after: int, most: int) -> Leaf:
        """Some messages; see `rows.page`.

        Raises: Refusal(OVERLOADED).
        """
        place = (self._owner, order_id)

        def read(connection: Connection) -> Leaf:
            found, counted = rows.page(connection, place, before=before, after=after, most=most)
            sealings = sealings_of(self._sealers, connection, found)
            return Leaf(tuple(_message(row, sealings[row["account_id"]]) for row in found), counted)

        return await self._database.read(read)

    async def get(self, message_id: str) -> Message | None:
        """A message by its id.

        Raises: Refusal(OVERLOADED).
        """

        def read(connection: Connection) -> Message | None:
            return self._opened(connection, rows.by_id(connection, self._owner, message_id))

        return await self._database.read(read)

    async def sealing_of(self, account_id: str) -> Sealing:
        """With which keys the documents of an account are sealed.

        Raises: Refusal(OVERLOADED, RECORD_MISSING).
        """
        return await self._database.read(lambda connection: self._sealers.of(connection, account_id))

    async def mark_read(self, order_id: str, *, upto: int) -> Counted:
        """Note that our side has read up to a message.

        Raises: Refusal(OVERLOADED).
        """
        return await self._database.write(lambda connection: rows.mark_read(connection, self._owner, order_id, upto))

    async def unread(self, order_ids: Collection[str]) -> dict[str, int]:
        """How many messages of each order our side has not read.

        Raises: Refusal(OVERLOADED).
        """
        return await self._database.read(lambda connection: rows.unread_of(connection, self._owner, order_ids))

    async def files(self, order_id: str) -> Sequence[str]:
        """The keys of all documents of a conversation.

        Raises: Refusal(OVERLOADED).
        """
        return await self._database.read(lambda connection: rows.files_of(connection, self._owner, order_id))

    async def forget(self, order_id: str) -> None:
        """Remove a conversation.

        Raises: Refusal(OVERLOADED).
        """
        await self._database.write(lambda connection: rows.forget(connection, self._owner, order_id))

    def _place(self, message: Message) -> dict[str, object]:
        return {
            "owner": self._owner,
            "order_id": message.order_id,
            "is_ours": message.is_ours,
            "content_id": message.content_id,
        }

    def _row(self, connection: Connection, message: Message) -> dict[str, object]:
        document = message.document
        sealing = self._sealers.of(connection, message.account_id, seals=True)
        return {
            **self._place(message),
            "id": message.id,
            "message_id": message.message_id,
            "kind": message.kind.value,
            "at": message.at,
            "refused": message.refused,
            "author": message.author,
            "account_id": message.account_id,
            "sealed": sealing.seal(write_sealed(message), about=f"chat {message.id}"),
            "file_key": document.key if document else "",
            "file_size": document.size if document else 0,
            "file_type": document.media_type if document else "",
            "scan": document.scan if document else "",
        }

    def _opened(self, connection: Connection, row: RowMapping | None) -> Message | None:
        return _message(row, self._sealers.of(connection, row["account_id"])) if row is not None else None


def _message(row: RowMapping, sealing: Sealing) -> Message:
    said, refused = _said(row, sealing), str(row["refused"])
    kind = Kind(row["kind"])
    if said is None:
        said, refused = {}, UNREADABLE
    document = Attached(
        name=said.get("name", ""),
        media_type=row["file_type"],
        size=row["file_size"],
        hi_type=said.get("hi_type", ""),
        scan=row["scan"],
        key=row["file_key"],
    )
    return Message(
        id=row["id"],
        order_id=row["order_id"],
        seq=row["seq"],
        is_ours=bool(row["is_ours"]),
        kind=kind,
        at=row["at"],
        content_id=row["content_id"],
        message_id=row["message_id"],
        text=said.get("text", ""),
        document=document if kind is Kind.DOCUMENT else None,
        refused=refused,
        author=row["author"],
        account_id=row["account_id"],
    )


def _said(row: RowMapping, sealing: Sealing) -> Mapping[str, str] | None:
    try:
        return read_sealed(sealing.open(row["sealed"], about=f"chat {row['id']}"))
    except SetupError as error:
        log.error("message %s of a conversation is shown without its content: %s", row["id"], error)
        return None
