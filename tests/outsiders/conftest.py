"""Connectors of others are distributions of their own; their tests run where they are installed, not here."""

collect_ignore = ["karrio_generic"]
