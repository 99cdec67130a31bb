"""Messages with a doctor over HTTP, each person's own.

Above: the patient application; below: `uhi.conversation.pages`. Source: security rules "IAM" (patient: own account).
"""

from __future__ import annotations

from participants.patient.people.routes import OWN_READ
from uhi.conversation.pages import MessageRoutes, Named

BOOKING_MESSAGES = MessageRoutes(
    tag="messages",
    base="/v1/bookings/{id}",
    rule=OWN_READ,
    page=Named(
        name="list_messages",
        summary="What was said about a booking, a page at a time, and how else the facility is reached.",
    ),
    say=Named(name="say", summary="Write to the doctor of a booking."),
    send=Named(name="send_document", summary="Send a document to the doctor of a booking."),
    mark_read=Named(name="mark_read", summary="Say up to which message one has read."),
)
"""What a patient reads and says."""
