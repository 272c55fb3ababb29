"""Orders: the list with its filters, one order's story, and what people decide about them."""
