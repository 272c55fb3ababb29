"""A courier that is spoken to by files: bookings go out, numbers come in."""
