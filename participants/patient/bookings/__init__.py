"""The bookings of an application: held, confirmed, moved, cancelled, and shown to whose they are."""
