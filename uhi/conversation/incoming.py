"""What the other side says: weighed, kept once, or passed on, and never trusted for who it says it is.

Content that is not taken is kept as refused, with the reason and without the content. Above: `conversations`.
Source: NHA Physical Consultation v2.0, on_message.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from uhi.booking.desk import Turns
from uhi.booking.telemedicine import PATIENT
from uhi.conversation.book import ChatBook
from uhi.conversation.calls import CallLog, read_step
from uhi.conversation.contents import ChatRules, read_document, read_text
from uhi.conversation.listening import Listeners
from uhi.conversation.media import media_type_of
from uhi.conversation.messages import Attached, Kind, Message, Signal, content_id_of, is_between
from uhi.conversation.names import clean_name
from uhi.conversation.talks import Orders, Talk
from uhi.conversation.vault import Vault
from uhi.errors import ContentRefused, MessageKnown, Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import RECORD_MISSING
from uhi.messages.conversation import Chat, ChatContent
from uhi.messages.wire import Wire
from uhi.subscribers import Role
from uhi.verified import Verified

log = logging.getLogger(__name__)

_TEXT, _MEDIA = "text", "media"


class Hearing:
    """Takes what arrives. Messages of one transaction are taken one after the other, so that they keep their order."""

    def __init__(self, orders: Orders, book: ChatBook, vault: Vault, *, rules: ChatRules, listeners: Listeners) -> None:
        self._orders = orders
        self._book = book
        self._vault = vault
        self._rules = rules
        self._listeners = listeners
        self._turns = Turns()
        self.call_log: CallLog | None = None

    async def take(self, chat: Chat, about: Verified[Wire]) -> None:
        """Take a chat message: one of a known order, between its patient and its doctor; any other is ignored.

        Raises: Refusal(OVERLOADED) when it cannot be dealt with now; then it is to be taken again.
        """
        thread = about.thread
        async with self._turns.of(f"{thread.consumer_id} {thread.provider_id} {thread.transaction_id}"):
            talk = await self._talk(chat, about)
            if talk is None:
                self._note("a chat message fits no order between these two, and is ignored", about)
                return
            content = chat.content or ChatContent()
            spoken = (content.content_type or (_MEDIA if content.mime_type else _TEXT)).strip().lower()
            if spoken in (_TEXT, _MEDIA):
                await self._keep_unless_erased(content, talk, about, Kind.DOCUMENT if spoken == _MEDIA else Kind.TEXT)
            else:
                self._listeners.tell(Signal(talk.order_id, spoken, content))
                if about.sender.role is Role.CONSUMER:
                    await self.put_down(talk, content, who=PATIENT)

    async def put_down(self, talk: Talk, content: ChatContent, *, who: str) -> None:
        """Put down what a signal says of who joins or leaves a call online, where calls are put down."""
        step = read_step(content, spoken=(content.content_type or "").strip().lower(), who=who)
        if self.call_log is not None and talk.is_online and step is not None:
            await self.call_log.call_signalled(talk.order_id, step)

    async def _talk(self, chat: Chat, about: Verified[Wire]) -> Talk | None:
        thread = about.thread
        for talk in await self._orders.of_thread(thread):
            known = talk.thread
            is_same = (known.consumer_id, known.provider_id) == (thread.consumer_id, thread.provider_id)
            if is_same and is_between(talk, chat, sender=about.sender.role):
                return talk
        return None

    async def _keep_unless_erased(self, content: ChatContent, talk: Talk, about: Verified[Wire], kind: Kind) -> None:
        try:
            await self._keep(content, talk, about, kind=kind)
        except Refusal as refusal:
            if refusal.fault is not RECORD_MISSING:
                raise
            self._note("a chat message is about somebody who was erased just now, and is ignored", about)

    async def _keep(self, content: ChatContent, talk: Talk, about: Verified[Wire], *, kind: Kind) -> None:
        message = Message(
            id=new_row_id(about.received_at),
            order_id=talk.order_id,
            is_ours=False,
            kind=kind,
            at=about.received_at,
            content_id=content_id_of(content, about.digest),
            message_id=about.context.message_id,
            account_id=talk.account_id,
        )
        if await self._book.known(message) is not None:
            return
        try:
            message = await self._read(message, content)
        except ContentRefused as refused:
            self._note(f"the content of a chat message is not taken ({refused.reason})", about)
            message = _without_content(message, content, refused.reason)
        try:
            kept = await self._book.add(message)
        except MessageKnown:
            # Another process of ours was faster.
            if message.document is not None and message.document.key:
                await self._vault.drop(message.document.key)
            return
        self._listeners.tell(kept)

    async def _read(self, message: Message, content: ChatContent) -> Message:
        if message.kind is Kind.TEXT:
            return replace(message, text=read_text(content, self._rules))
        document = await asyncio.to_thread(read_document, content, self._rules)
        return replace(message, document=await self._vault.put(document, message.account_id))

    def _note(self, what: str, about: Verified[Wire]) -> None:
        log.warning("%s: %s", about.sender.id, what, extra={"transaction_id": about.thread.transaction_id})


def _without_content(message: Message, content: ChatContent, reason: str) -> Message:
    """What stays of a message whose content is not taken: that it came, and of a document its name."""
    if message.kind is Kind.TEXT:
        return replace(message, refused=reason)
    declared = media_type_of(content.mime_type or "")
    name = clean_name(content.file_name or "", declared)
    # A type of the sender's own making may say anything, and this column is not encrypted.
    attached = Attached(name=name, media_type="", size=0)
    return replace(message, refused=reason, document=attached)
