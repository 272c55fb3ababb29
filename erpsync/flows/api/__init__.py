"""Programs that use us: requests that are carried out once, and whom events are told.

Promises: a request under one idempotency key has one effect, whoever dies in between; a subscriber hears every event
at least once, in order. Called by `web.api` and the daemon's event stage. Touches kept answers and
subscriptions.
"""
