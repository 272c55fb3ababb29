"""What a channel may sell (available to sell, `StockLevel`): computed from stock, told when it is sure to be right.

Promises: no number is told that a sale which was not read yet makes wrong, except a lower one; no wave of zeros
leaves that nobody can explain. Called by the daemon's push stage and by `reconcile`. Touches listings and their rows
of the outbox.
"""
