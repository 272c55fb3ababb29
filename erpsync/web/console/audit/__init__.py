"""Audit: what rules hold and people approve, and the rules themselves."""
