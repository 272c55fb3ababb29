"""How orders come in: streams that are polled, messages that say when, webhooks stored before they are answered.

Promises: a page and its cursor are one commit; a webhook that was answered is kept; what cannot be read is a dead
letter and stops nothing else (back-pressure is the call budget and the size of a page). Called by the daemon's poll
and inbox stages. Touches cursors and the inbox, and hands everything else to `orders`, `inventory`, `shipments` and
`warehouses`.
"""
