"""Messages to programs: signed webhooks."""
