"""The tables of conversations about an order: one row for each conversation, one for each message.

On the same metadata as `tables`. Above: `uhi.conversation`. What was said is sealed; documents lie in a file store.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from uhi.storage.sql.columns import count, key, time, words
from uhi.storage.sql.tables import metadata

conversation = Table(
    "conversation",
    metadata,
    key("owner"),
    key("order_id"),
    count("last_seq"),
    count("read_seq"),
    count("unread"),
    time("updated_at"),
    PrimaryKeyConstraint("owner", "order_id"),
)
"""One conversation of a subscriber, `owner`. Messages are numbered up to `last_seq`, our side has read up to
`read_seq`; `unread` counts what the other side said after that."""

laid_file = Table(
    "laid_file",
    metadata,
    Column("key", Text, primary_key=True),
    key("owner"),
    time("at"),
    Index("laid_file_at", "at"),
)
"""Documents that are about to lie in the file store, and that no message has yet."""

chat_message = Table(
    "chat_message",
    metadata,
    Column("id", Text, primary_key=True),
    key("owner"),
    key("order_id"),
    count("seq"),
    Column("is_ours", Boolean, nullable=False),
    key("content_id"),
    key("message_id"),
    key("kind"),
    time("at"),
    words("refused"),
    words("author"),
    words("account_id"),
    Column("sealed", LargeBinary, nullable=False),
    words("file_key"),
    count("file_size"),
    words("file_type"),
    words("scan"),
    UniqueConstraint("owner", "order_id", "is_ours", "content_id", name="chat_message_once"),
    UniqueConstraint("owner", "order_id", "seq", name="chat_message_place"),
    Index("chat_message_at", "at"),
)
"""One message. `content_id` is the speaker's name for it, which it is kept under once. `refused` is why its content was
not taken, empty for one that was; `author` is the account that wrote for our side. `sealed` is everything that was
said, with the key of `account_id` where the program has keys of accounts; a document is in the file store under
`file_key`, sealed in the same way, and `scan` tells what the virus scanner found."""
