"""Parcels that left: recorded, held back while their order may not leave, and told to the channel once (idempotency).

Promises: no parcel is told twice, none of an order that was cancelled meanwhile; an unknown outcome is looked up or
asked of a person, never guessed. Called by commands, the API, `warehouses` and the daemon's push stage. Touches
shipments and their rows of the outbox.
"""
