"""Messages through Apprise, for whatever has no connector of its own."""
