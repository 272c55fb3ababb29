"""The SQL store: tables, transactions, and the statements that read and write them per batch."""
