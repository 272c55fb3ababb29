"""Use cases: each owns its transactions, and every step may run twice and end the same."""
