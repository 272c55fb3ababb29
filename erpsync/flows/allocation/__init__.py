"""Units for orders: what is on hand is promised once to who waits, and taken back where less is there.

Promises: after every commit no unit is promised twice, and none lies free beside an order that waits for it. Called
by `orders`, `inventory` and `shipments` with what changed, in their transaction. Touches holds, backorders, the
ledger and the marks of numbers to be told; never an order's own row, and nothing outside the database.
"""
