"""Systems that run our warehouses: told what to send, asked to stop, heard when something left or was counted.

Promises: an order is handed over once; its units stay reserved until the warehouse says that it will not send them
(the compensation for a release that is regretted). Called by the daemon's release stage and `intake`. Touches
releases, and everything else through `shipments`, `inventory` and `orders`.
"""
