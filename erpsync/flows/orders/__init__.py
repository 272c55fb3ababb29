"""An order's life here: its newer view merged, its refunds and holds decided, the result written with its stock.

Promises: whatever brought a record (a page, a webhook, a file, a person), the same decision follows in one
transaction; a newer view that was not understood holds its order. Called by `intake`, `shipments`, `warehouses` and
commands. Touches orders, lines, refunds, holds, dead letters, and units through `allocation`.
"""
