"""Booking a consultation, both sides: `ConsultationProvider` above a hospital's own system, `Bookings` for a patient.

Above: participants; below: handlers and the exchange. Source: NHA Physical Consultation v2.0.
"""

from uhi.booking.appointments import Booking
from uhi.booking.consulting import CallStep
from uhi.booking.consumer import Bookings
from uhi.booking.events import OrderEvent
from uhi.booking.found import FoundDoctor, FoundSlot
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import (
    Appointment,
    Doctor,
    DoctorQuery,
    Facility,
    Guardian,
    Hold,
    Hospital,
    Patient,
    Slot,
    Speciality,
    Window,
)
from uhi.booking.join_links import Call, JoinLinks, Links, RoomLinks
from uhi.booking.news import BookingNews, LateDoctors
from uhi.booking.offers import Offer
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.quotes import Quote, consultation_quote
from uhi.booking.reasons import Cancellation, CancelledBy, DoctorReason, OverrideReason, PatientReason
from uhi.booking.speaker import Speaker
from uhi.booking.sql_bookings import SqlBookings, bookings_of
from uhi.booking.states import EventKind, OrderState, Party, who_may
from uhi.booking.store import BookingStore, MemoryBookings, Step, Written
from uhi.booking.telemedicine import PATIENT, Attendance, Consent, Initiator, Mode, Presence

__all__ = [
    "PATIENT",
    "Appointment",
    "Attendance",
    "Booking",
    "BookingNews",
    "BookingStore",
    "Bookings",
    "Call",
    "CallStep",
    "Cancellation",
    "CancelledBy",
    "Consent",
    "ConsultationProvider",
    "Doctor",
    "DoctorQuery",
    "DoctorReason",
    "EventKind",
    "Facility",
    "FoundDoctor",
    "FoundSlot",
    "Guardian",
    "Hold",
    "HoldLimits",
    "Hospital",
    "Initiator",
    "JoinLinks",
    "LateDoctors",
    "Links",
    "MemoryBookings",
    "Mode",
    "Offer",
    "OrderEvent",
    "OrderState",
    "OverrideReason",
    "Party",
    "Patient",
    "PatientReason",
    "Policy",
    "Presence",
    "Quote",
    "RoomLinks",
    "Slot",
    "Speaker",
    "Speciality",
    "SqlBookings",
    "Step",
    "Window",
    "Written",
    "bookings_of",
    "consultation_quote",
    "who_may",
]
