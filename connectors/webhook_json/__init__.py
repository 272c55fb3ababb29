"""Own shops: orders and refunds come as signed JSON webhooks, stock and shipments go out the same way."""
