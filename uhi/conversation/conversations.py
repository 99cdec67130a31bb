"""Conversations between patients and doctors about their orders: texts, documents, and the signals of calls.

`Conversations(app, orders, side=..., shelf=...)`, then `app.include(conversations.handlers)`; it is the same for
provider and consumer. Above: participants; below: `uhi.booking`, `uhi.files`, the exchange. Source: NHA Physical
Consultation v2.0, on_message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from uhi.actions import TO_CONSUMER, TO_PROVIDER
from uhi.booking.appointments import Reach
from uhi.booking.speaker import Speaker
from uhi.conversation.book import ChatBook
from uhi.conversation.calls import CallLog
from uhi.conversation.contents import ChatRules, Document, check_document, check_text
from uhi.conversation.incoming import Hearing
from uhi.conversation.listening import Listener, Listeners
from uhi.conversation.messages import Kind, Message, content_id_of, write_chat, write_document, write_text
from uhi.conversation.prescriptions import PRESCRIPTION, Prescription
from uhi.conversation.rows import Counted
from uhi.conversation.talks import Orders, Talk
from uhi.conversation.unfiled import Unfiled
from uhi.conversation.vault import Shelf, Vault
from uhi.errors import FileMissing, MessageKnown, MessagesNotTaken, OrderUnknown, SetupError, StateConflict
from uhi.exchange.row_ids import new_row_id
from uhi.files import SignedLink, SignedUrls
from uhi.handlers import Handlers
from uhi.messages.conversation import ChatContent, ChatIntent, MessageToConsumer, MessageToProvider
from uhi.ports import Letter
from uhi.storage.sql.storage import SqlStorage
from uhi.subscribers import Role
from uhi.verified import Verified

log = logging.getLogger(__name__)

FILES_PATH = "/v1/files"
"""Where documents are fetched, by a link that ends."""

MOST_MESSAGES = 100
"""How many messages a page has at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages of a conversation, oldest first. `reach` is how else the facility is reached."""

    messages: tuple[Message, ...]
    counted: Counted
    is_open: bool
    reach: Reach


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something for our side (an account's id), and the id that makes it be said once; both may be empty."""

    by: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message whose document was fetched by a link, and the document."""

    message: Message
    document: Document


class Conversations:
    """The conversations of one participant, kept in its database.

    `orders` tells who talks about what, `side` is our role, `shelf` is where documents go.
    Raises: SetupError without a database.
    """

    def __init__(
        self, speaker: Speaker, orders: Orders, *, side: Role, shelf: Shelf, rules: ChatRules | None = None
    ) -> None:
        storage = speaker.world.storage
        if not isinstance(storage, SqlStorage):
            raise SetupError("conversations are kept, and there is no database", next_step="set UHI_DATABASE_URL")
        self.rules = rules or ChatRules()
        self.orders = orders
        self._speaker = speaker
        self._side = side
        self._book = ChatBook(storage, owner=speaker.subscriber_id, sealers=shelf.sealers)
        self._vault = Vault(shelf, self._book.sealing_of, Unfiled(storage.database, speaker))
        self.tidy, self.aclose = self._vault.tidy, self._vault.aclose
        self._links = SignedUrls(storage.ours.sealing.derived("signed links"), path=FILES_PATH)
        self._listeners = Listeners()
        self._hearing = Hearing(orders, self._book, self._vault, rules=self.rules, listeners=self._listeners)
        self.handlers = Handlers()
        self._hear()

    async def say(self, order_id: str, text: str, *, said: Said = Said()) -> Message:
        """Say a text about an order; the same content id again changes nothing and sends nothing.

        Raises: OrderUnknown, StateConflict (the order is not booked, or over), MessagesNotTaken, ContentRefused;
        DeliveryError when the registry does not tell where the other side is; Refusal(OVERLOADED).
        """
        talk = await self._open_talk(order_id)
        text = check_text(text, self.rules)
        message = self._message(talk, Kind.TEXT, said)
        known = await self._book.known(message)
        if known is not None:
            return known
        letters = await self._letters(talk, write_text(text, message.content_id))
        return await self._said(replace(message, text=text), letters)

    async def send(self, order_id: str, document: Document, *, said: Said = Said()) -> Message:
        """Send a document about an order; an infected one is neither kept nor sent, and of a consultation online no
        prescription that the formulary does not take.

        Raises: as `say`.
        """
        talk = await self._open_talk(order_id)
        document = await asyncio.to_thread(check_document, document, self.rules)
        if self._side is Role.PROVIDER and talk.is_online and document.hi_type == PRESCRIPTION:
            prescribed = Prescription(talk.order_id, talk.doctor.id, document.medicines, document.content)
            await self.rules.formulary.check(prescribed)
        message = self._message(talk, Kind.DOCUMENT, said)
        known = await self._book.known(message)
        if known is not None:
            return known
        letters = await self._letters(talk, write_document(document, message.content_id))
        attached = await self._vault.put(document, talk.account_id)
        kept = await self._said(replace(message, document=attached), letters)
        if kept.document is None or kept.document.key != attached.key:
            await self._vault.drop(attached.key)
        return kept

    async def signal(self, order_id: str, content: ChatContent) -> None:
        """Pass on what a device says to set up a call; it is not kept.

        Raises: OrderUnknown, StateConflict, MessagesNotTaken, IncompleteMessage, DeliveryError, Refusal(OVERLOADED).
        """
        talk = await self._open_talk(order_id)
        intent = self._intent(talk, content)
        if self._side is Role.PROVIDER:
            await self._speaker.tell(TO_CONSUMER, MessageToConsumer(intent=intent), talk.thread)
            await self._hearing.put_down(talk, content, who=talk.doctor.id)
        else:
            await self._speaker.tell(TO_PROVIDER, MessageToProvider(intent=intent), talk.thread)

    def log_calls(self, log: CallLog) -> None:
        """Have put down who joins and leaves the calls that are set up by signals: a provider's, in its orders."""
        self._hearing.call_log = log

    async def page(self, order_id: str, *, before: int = 0, after: int = 0, most: int = 50) -> Page:
        """Messages of an order, oldest first: those that follow number `after`, or else the last ones before number
        `before`, or else the newest.

        Raises: OrderUnknown; Refusal(OVERLOADED).
        """
        talk = await self._talk(order_id)
        leaf = await self._book.page(talk.order_id, before=before, after=after, most=min(most, MOST_MESSAGES))
        return Page(leaf.messages, leaf.counted, talk.is_open, talk.reach)

    async def read_upto(self, order_id: str, seq: int) -> Counted:
        """Note that our side has read up to a message; returns what is left.

        Raises: OrderUnknown; Refusal(OVERLOADED).
        """
        return await self._book.mark_read((await self._talk(order_id)).order_id, upto=seq)

    async def unread(self, order_ids: Collection[str]) -> dict[str, int]:
        """How many messages of each order our side has not read; orders without any are left out.

        Raises: Refusal(OVERLOADED).
        """
        return await self._book.unread(order_ids)

    def link(self, message: Message) -> str:
        """A path with its query by which a message's document is fetched within the next minutes; empty for a message
        without a document that is kept."""
        document = message.document
        if document is None or not document.key:
            return ""
        return self._links.make(message.id, name=document.name, now=self._speaker.clock.now())

    async def fetch(self, link: SignedLink) -> Fetched:
        """The document that a link leads to.

        Raises: Refusal(LINK_INVALID), FileMissing, SetupError, Refusal(OVERLOADED).
        """
        message = await self._book.get(link.id)
        document = message.document if message is not None else None
        # A link to nothing is refused like one that was made elsewhere.
        self._links.check(link, name=document.name if document else "", now=self._speaker.clock.now())
        if message is None or document is None or not document.key:
            raise FileMissing("a link leads to a document that is not kept any more")
        content = await self._vault.get(document.key, message.account_id)
        return Fetched(message, Document(content=content, media_type=document.media_type, name=document.name))

    async def forget(self, order_id: str) -> None:
        """Remove everything that was said about an order, for good; what the other side has stays there.

        Raises: Refusal(OVERLOADED); then it is to be done again.
        """
        # The rows go last: until then they tell which documents there are.
        for key in await self._book.files(order_id):
            await self._vault.drop(key)
        await self._book.forget(order_id)

    def listen(self) -> Listener:
        """Messages of both sides and signals of calls, as an async iterator, from now on and in this process."""
        return self._listeners.join()

    async def _talk(self, order_id: str) -> Talk:
        talk = await self.orders.find(order_id)
        if talk is None:
            raise OrderUnknown("there is no conversation about such an order", next_step="book an appointment first")
        return talk

    async def _open_talk(self, order_id: str) -> Talk:
        talk = await self._talk(order_id)
        if not talk.is_open:
            raise StateConflict(
                "the order is not booked, or was called off", next_step="use the helpline of the facility"
            )
        if self._side is Role.CONSUMER and not talk.reach.messaging:
            raise MessagesNotTaken(
                "the facility takes no messages",
                got="messaging_support false",
                next_step="use the helpline, the deep link or the chatbot that came with the confirmation",
            )
        return talk

    def _message(self, talk: Talk, kind: Kind, said: Said) -> Message:
        now = self._speaker.clock.now()
        content_id = content_id_of(ChatContent(content_id=said.content_id), "") if said.content_id else str(uuid4())
        return Message(
            id=new_row_id(now),
            order_id=talk.order_id,
            is_ours=True,
            kind=kind,
            at=now,
            content_id=content_id,
            author=said.by,
            account_id=talk.account_id,
        )

    def _intent(self, talk: Talk, content: ChatContent) -> ChatIntent:
        return write_chat(talk, content, side=self._side, now=self._speaker.clock.now())

    async def _letters(self, talk: Talk, content: ChatContent) -> tuple[Letter, ...]:
        intent = self._intent(talk, content)
        if self._side is Role.PROVIDER:
            composed = await self._speaker.compose(TO_CONSUMER, MessageToConsumer(intent=intent), talk.thread)
        else:
            composed = await self._speaker.compose(TO_PROVIDER, MessageToProvider(intent=intent), talk.thread)
        return tuple(composed)

    async def _said(self, message: Message, letters: tuple[Letter, ...]) -> Message:
        """Keep a message and its letters in one step, so that neither is without the other, then send them."""
        message = replace(message, message_id=letters[0].message_id)
        try:
            kept, mine = await self._book.say(message, letters)
        except MessageKnown:
            known = await self._book.known(message)
            if known is None:
                raise
            return known
        self._speaker.post(letters, mine=mine)
        self._listeners.tell(kept)
        return kept

    def _hear(self) -> None:
        if self._side is Role.PROVIDER:

            @self.handlers.on(TO_PROVIDER)
            async def patient_says(message: Verified[MessageToProvider]) -> None:
                await self._hearing.take(message.message.intent.chat, message)

        else:

            @self.handlers.on(TO_CONSUMER)
            async def doctor_says(message: Verified[MessageToConsumer]) -> None:
                await self._hearing.take(message.message.intent.chat, message)
