"""Parcels that left: recorded, held back while their order may not leave, and told to the channel once (idempotency).

Promises: no parcel is told twice, none of an order that was cancelled meanwhile; an unknown outcome is looked up or
asked of a person, never guessed; what couriers tell of parcels ends the same in whatever order it comes. Called by
commands, the API, `warehouses`, `intake` and the daemon's push stage. Touches shipments, their rows of the outbox, and
where parcels are.
"""
