"""The rows of conversations, as functions on a connection.

Above: `book`; below: `uhi.storage.sql.conversation_tables`. The row of the conversation is taken first, so that of two
who write at once the second sees what the first has written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from uhi.conversation.unfiled import file
from uhi.errors import MessageKnown, Refusal
from uhi.faults import OVERLOADED
from uhi.storage.sql.conversation_tables import chat_message, conversation

_OPEN = text(
    "INSERT INTO conversation (owner, order_id, updated_at) VALUES (:owner, :order_id, :at) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a conversation has got: the newest message, what our side has read, how much it has not."""

    last: int = 0
    read: int = 0
    unread: int = 0


def append(connection: Connection, row: Mapping[str, object]) -> int:
    """Keep a message as the next of its conversation; returns its number.

    Raises: MessageKnown when one with this content id is kept; Refusal(OVERLOADED) when its document is gone.
    """
    owner, order_id = row["owner"], row["order_id"]
    connection.execute(_OPEN, {"owner": owner, "order_id": order_id, "at": row["at"]})
    counted = update(conversation).where(conversation.c.owner == owner, conversation.c.order_id == order_id)
    step = counted.values(
        last_seq=conversation.c.last_seq + 1,
        unread=conversation.c.unread + (0 if row["is_ours"] else 1),
        updated_at=row["at"],
    )
    seq = int(connection.execute(step.returning(conversation.c.last_seq)).scalar_one())
    if known(connection, row) is not None:
        raise MessageKnown("a message is kept already under its content id")
    if row["file_key"] and not file(connection, str(row["file_key"])):
        raise Refusal(OVERLOADED, "a document was laid away too long ago", next_step="send it again")
    connection.execute(insert(chat_message), {**row, "seq": seq})
    return seq


def known(connection: Connection, row: Mapping[str, object]) -> RowMapping | None:
    """The message that is kept under a row's owner, order, side and content id."""
    query = select(chat_message)
    for name in ("owner", "order_id", "is_ours", "content_id"):
        query = query.where(chat_message.c[name] == row[name])
    return connection.execute(query).mappings().one_or_none()


def by_id(connection: Connection, owner: str, message_id: str) -> RowMapping | None:
    """The message of a row's id."""
    query = select(chat_message).where(chat_message.c.id == message_id, chat_message.c.owner == owner)
    return connection.execute(query).mappings().one_or_none()


def page(
    connection: Connection, place: tuple[str, str], *, before: int, after: int, most: int
) -> tuple[Sequence[RowMapping], Counted]:
    """Messages of a conversation (owner, order), oldest first: those that follow `after`, or, where that is 0, the last
    ones before `before` (0: the newest); and the counts."""
    owner, order_id = place
    query = select(chat_message).where(chat_message.c.owner == owner, chat_message.c.order_id == order_id).limit(most)
    if after:
        query = query.where(chat_message.c.seq > after).order_by(chat_message.c.seq)
    else:
        query = query.where(chat_message.c.seq < before) if before else query
        query = query.order_by(chat_message.c.seq.desc())
    rows = connection.execute(query).mappings().all()
    return (rows if after else rows[::-1]), counts(connection, owner, order_id)


def files_of(connection: Connection, owner: str, order_id: str) -> Sequence[str]:
    """The keys of all documents of a conversation."""
    query = select(chat_message.c.file_key).where(chat_message.c.owner == owner, chat_message.c.order_id == order_id)
    return connection.execute(query.where(chat_message.c.file_key != "")).scalars().all()


def forget(connection: Connection, owner: str, order_id: str) -> None:
    """Remove a conversation."""
    for table in (chat_message, conversation):
        connection.execute(delete(table).where(table.c.owner == owner, table.c.order_id == order_id))


def counts(connection: Connection, owner: str, order_id: str) -> Counted:
    """The counts of a conversation; of one that nobody has begun, noughts."""
    query = select(conversation.c.last_seq, conversation.c.read_seq, conversation.c.unread)
    found = connection.execute(query.where(conversation.c.owner == owner, conversation.c.order_id == order_id))
    row = found.one_or_none()
    return Counted(*row) if row is not None else Counted()


def mark_read(connection: Connection, owner: str, order_id: str, upto: int) -> Counted:
    """Note that our side has read up to a message; a mark is never set back."""
    mine = (conversation.c.owner == owner, conversation.c.order_id == order_id)
    # Taken first: a message that comes at this moment is counted either here or by whoever keeps it.
    row = connection.execute(
        update(conversation).where(*mine).values(unread=conversation.c.unread).returning(conversation.c.last_seq)
    ).one_or_none()
    if row is None:
        return Counted()
    read = func.count().filter(chat_message.c.seq > upto)
    theirs = (chat_message.c.owner == owner, chat_message.c.order_id == order_id, chat_message.c.is_ours.is_(False))
    unread = connection.execute(select(read).select_from(chat_message).where(*theirs)).scalar_one()
    step = update(conversation).where(*mine, conversation.c.read_seq < upto)
    connection.execute(step.values(read_seq=min(upto, int(row.last_seq)), unread=unread))
    return counts(connection, owner, order_id)


def unread_of(connection: Connection, owner: str, order_ids: Collection[str]) -> dict[str, int]:
    """How many messages of each order our side has not read; orders without any are left out."""
    query = select(conversation.c.order_id, conversation.c.unread).where(
        conversation.c.owner == owner, conversation.c.order_id.in_(order_ids), conversation.c.unread > 0
    )
    return {row.order_id: row.unread for row in connection.execute(query)}
