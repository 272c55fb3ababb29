"""Units for who wants them: what is on hand is promised once to who waits, and taken back where less is there.

`allocate` says what orders want; `stock_plan` serves it and knows no orders, for lines are one kind of owner of many.

Promises: after every commit no unit is promised twice, and none lies free beside an owner that waits for it. Called
by `orders`, `inventory` and `shipments` with what changed, in their transaction. Touches holds, backorders, the
ledger and the marks of numbers to be told; never an order's own row, and nothing outside the database.
"""
