"""The database itself: engines, transactions, the clock all nodes share, many rows at once, encryption, migrations."""
