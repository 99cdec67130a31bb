"""Chat between patient and doctor: `on_message` in both directions. Source: NHA Physical Consultation v2.0."""

from __future__ import annotations

from uhi.messages.people import Person
from uhi.messages.times import Time
from uhi.messages.wire import Text, Wire

_MIME_SPELLINGS = {"pdf/application": "application/pdf"}


class ChatParty(Wire):
    """Who writes or reads."""

    person: Person | None = None


class ChatContent(Wire):
    """What is said: text or a file, in base64. File name and type occur in several spellings."""

    content_id: Text | None = None
    content_value: Text | None = None
    content_type: Text | None = None
    content_url: Text | None = None
    content_fileName: Text | None = None
    content_filename: Text | None = None
    content_filenme: Text | None = None
    content_mimeType: Text | None = None
    content_mimetype: Text | None = None
    hiType: Text | None = None

    @property
    def file_name(self) -> str | None:
        """The file's name in whichever spelling it came."""
        return self.content_fileName or self.content_filename or self.content_filenme or None

    @property
    def mime_type(self) -> str | None:
        """The file's type in whichever spelling it came; `pdf/application` is read as `application/pdf`."""
        written = self.content_mimeType or self.content_mimetype or None
        return _MIME_SPELLINGS.get(written, written) if written else None


class Chat(Wire):
    """One message of a conversation."""

    sender: ChatParty | None = None
    receiver: ChatParty | None = None
    content: ChatContent | None = None
    time: Time | None = None


class ChatIntent(Wire):
    """The member that carries a chat."""

    chat: Chat


class MessageToProvider(Wire):
    """`on_message` from the consumer: the patient writes."""

    intent: ChatIntent


class MessageToConsumer(Wire):
    """`on_message` from the provider: the doctor writes."""

    intent: ChatIntent
