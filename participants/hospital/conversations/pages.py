"""Messages with patients over HTTP: the front desk's for its own organisation, a clinician's for own patients.

Above: the hospital's program; below: `uhi.conversation.pages`. Source: security rules "IAM".
"""

from __future__ import annotations

from participants.hospital.desk import clinic_pages, desk_pages
from uhi.conversation.pages import MessageRoutes, Named

DESK_MESSAGES = MessageRoutes(
    tag="messages",
    base=desk_pages.ONE,
    rule=desk_pages.DESK,
    page=Named(name="list_messages", summary="What was said about an appointment, a page at a time."),
    say=Named(name="say", summary="Write to the patient of an appointment, for its doctor."),
    send=Named(name="send_document", summary="Send a document to the patient of an appointment."),
    mark_read=Named(name="mark_read", summary="Say up to which message one has read."),
)
"""What the front desk reads and says."""

CLINIC_MESSAGES = MessageRoutes(
    tag="clinic messages",
    base=clinic_pages.ONE,
    rule=clinic_pages.CLINIC,
    page=Named(name="list_own_messages", summary="What was said with one's own patient, a page at a time."),
    say=Named(name="say_to_own", summary="Write to one's own patient."),
    send=Named(name="send_document_to_own", summary="Send a document to one's own patient."),
    mark_read=Named(name="mark_own_read", summary="Say up to which message of one's own patient one has read."),
)
"""What a clinician reads and says."""
