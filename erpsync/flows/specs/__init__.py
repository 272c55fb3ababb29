"""What buyers want of goods that are made for them: read where an order changes, and turned into a SKU of its own.

Promises: a line is on the SKU of what was wanted last, or its order is held and says why; two equal wishes are one SKU,
whoever makes it; what was written stands nowhere in clear. Called by every decision about orders. Touches variants and
what people said of lines.
"""
