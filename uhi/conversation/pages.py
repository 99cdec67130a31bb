"""Conversations over HTTP, as far as hospital and patient do it alike; who may see which is the participants' business.

Documents are fetched by links that were given out with their messages. Above: participants; below: `conversations`,
`forms`, `uhi.api`. Source: security rules "IAM", "Files"; RFC 9457.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypedDict

from pydantic import Field

from uhi.api.problems import refusal_of
from uhi.api.routes import Body, Call, Raw, Routes
from uhi.audit.trail import AuditTrail
from uhi.conversation.contents import Document, Why, decoded
from uhi.conversation.conversations import FILES_PATH, Conversations, Said
from uhi.conversation.forms import (
    DOCUMENT_BODY,
    LARGEST_DOCUMENT,
    ConversationAnswer,
    DocumentBody,
    MessageAnswer,
    MessageQuery,
    ReadAnswer,
    ReadBody,
    TextBody,
    conversation_answer,
    message_answer,
)
from uhi.conversation.messages import Message
from uhi.conversation.names import attachment
from uhi.conversation.talks import Talk
from uhi.errors import (
    ContentRefused,
    DeliveryError,
    FileMissing,
    MessagesNotTaken,
    OrderUnknown,
    Refusal,
    StateConflict,
)
from uhi.faults import LINK_INVALID, MESSAGING_UNSUPPORTED, OVERLOADED, RECORD_MISSING, STATE_REFUSED
from uhi.files import SignedLink
from uhi.identity.rules import PUBLIC, Rule, Target

_SEEN = (RECORD_MISSING,)
_TOLD = (RECORD_MISSING, STATE_REFUSED, MESSAGING_UNSUPPORTED)
_WHERE = {
    Why.TYPE_NOT_TAKEN: "media_type",
    Why.TEXT_TOO_LONG: "text",
    Why.NOT_TEXT: "text",
    Why.MEDICINE_NOT_TAKEN: "medicines",
}
_SENTENCES = {
    Why.EMPTY: "is to hold something",
    Why.TEXT_TOO_LONG: "is to have fewer characters",
    Why.NOT_TEXT: "is to be text that prints",
    Why.NOT_BASE64: "is to be base64",
    Why.TOO_LARGE: "is to be a smaller document",
    Why.TYPE_NOT_TAKEN: "is to be one of the types that are taken",
    Why.TYPE_MISMATCH: "is to be of the type that media_type says",
    Why.INFECTED: "is infected, and was not kept",
    Why.MEDICINE_NOT_TAKEN: "is to be what may be prescribed online",
}


class Named(TypedDict):
    """A route's name and summary. No two routes of a program have one name."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRoutes:
    """The routes to conversations for those whom a rule lets in, below a path whose `id` names the order."""

    tag: str
    base: str
    rule: Rule
    page: Named
    say: Named
    send: Named
    mark_read: Named


class TalkPages:
    """Routes about one order's conversation. Every call is permitted by its route's rule, on the record that the path's
    `id` names.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def routes(self, at: MessageRoutes) -> Routes:
        """A group of routes."""
        group, rule = Routes(at.tag, explains=True), at.rule
        messages, documents = f"{at.base}/messages", f"{at.base}/documents"
        add, large = group.route, DOCUMENT_BODY
        add("GET", messages, rule, body=MessageQuery, answer=ConversationAnswer, refuses=_SEEN, **at.page)(self.page)
        add("POST", messages, rule, body=TextBody, answer=MessageAnswer, refuses=_TOLD, **at.say)(self.say)
        add("POST", documents, rule, body=DocumentBody, answer=MessageAnswer, refuses=_TOLD, size=large, **at.send)(
            self.send
        )
        add("POST", f"{messages}/read", rule, body=ReadBody, answer=ReadAnswer, refuses=_SEEN, **at.mark_read)(
            self.mark_read
        )
        return group

    async def page(self, call: Call[MessageQuery]) -> ConversationAnswer:
        """A page of messages."""
        order_id, asked = await self._permitted(call), call.body
        with _told():
            page = await self._conversations.page(order_id, before=asked.before, after=asked.after, most=asked.most)
        return conversation_answer(page, tuple(self._shown(message) for message in page.messages))

    async def say(self, call: Call[TextBody]) -> MessageAnswer:
        """Say a text."""
        order_id, asked = await self._permitted(call), call.body
        with _told(where="text"):
            return self._shown(await self._conversations.say(order_id, asked.text, said=_said(call, asked.content_id)))

    async def send(self, call: Call[DocumentBody]) -> MessageAnswer:
        """Send a document."""
        order_id, asked = await self._permitted(call), call.body
        with _told(where="content"):
            document = Document(
                content=decoded(asked.content, most=LARGEST_DOCUMENT),
                media_type=asked.media_type,
                name=asked.name,
                hi_type=asked.hi_type,
                medicines=asked.medicines,
            )
            message = await self._conversations.send(order_id, document, said=_said(call, asked.content_id))
        return self._shown(message)

    async def mark_read(self, call: Call[ReadBody]) -> ReadAnswer:
        """Note how far our side has read."""
        order_id = await self._permitted(call)
        with _told():
            counted = await self._conversations.read_upto(order_id, call.body.seq)
        return ReadAnswer(read=counted.read, unread=counted.unread)

    async def _permitted(self, call: Call[Body]) -> str:
        order_id = call.path["id"]
        talk = await self._conversations.orders.find(order_id)
        if talk is None:
            raise Refusal(RECORD_MISSING, f"{call.principal.id} asked for a conversation that is not there")
        call.permit(target_of(talk, practitioner_id=call.principal.practitioner_id))
        return order_id

    def _shown(self, message: Message) -> MessageAnswer:
        return message_answer(message, url=self._conversations.link(message))


class LinkQuery(Body):
    """What a link holds beside the file's id."""

    expires: int = Field(ge=0, lt=2**53)
    signature: str = Field(min_length=64, max_length=64)


class FilePages:
    """Documents by their links: whoever has one gets the document, until the link ends. Every look is audited."""

    def __init__(self, conversations: Conversations, trail: AuditTrail) -> None:
        self._conversations = conversations
        self._trail = trail

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("files")
        group.route(
            "GET",
            f"{FILES_PATH}/{{id}}",
            PUBLIC,
            body=LinkQuery,
            answer=Raw,
            media="application/octet-stream",
            refuses=(LINK_INVALID, RECORD_MISSING),
        )(self.fetch_file)
        return group

    async def fetch_file(self, call: Call[LinkQuery]) -> Raw:
        """A document, by the link that came with its message."""
        link = SignedLink(call.path["id"], call.body.expires, call.body.signature)
        with _told():
            fetched = await self._conversations.fetch(link)
        document, message = fetched.document, fetched.message
        about = f"message {message.id} of order {message.order_id}"
        await self._trail.write(call.acting.entry("files.fetch_file", about, at=call.now))
        return Raw(content=document.content, media=document.media_type, disposition=attachment(document.name))


def target_of(talk: Talk, *, practitioner_id: str = "") -> Target:
    """A conversation as rules look at it; of several doctors it is that one's whose record is named."""
    whose = practitioner_id if practitioner_id in talk.other_practitioner_ids else talk.practitioner_id
    return Target(tenant=talk.tenant, practitioner_id=whose, account_id=talk.account_id)


def _said(call: Call[Body], content_id: str) -> Said:
    return Said(by=call.principal.id, content_id=content_id)


@contextmanager
def _told(*, where: str = "") -> Iterator[None]:
    """What conversations raise, as the refusals of an interface; `where` is the part of the body that holds the
    content.

    Raises: Refusal.
    """
    try:
        yield
    except (OrderUnknown, FileMissing) as error:
        raise Refusal(RECORD_MISSING, error.what) from None
    except (StateConflict, MessagesNotTaken) as error:
        fault = STATE_REFUSED if isinstance(error, StateConflict) else MESSAGING_UNSUPPORTED
        raise Refusal(fault, error.what, got=error.got, expected=error.expected, next_step=error.next_step) from None
    except DeliveryError as error:
        raise Refusal(OVERLOADED, error.what, got=error.got) from None
    except ContentRefused as error:
        why = Why(error.reason)
        raise refusal_of((_WHERE.get(why, where), _SENTENCES[why])) from None
