"""How both databases would carry out every statement of the product on a shop with a long history.

A statement whose cost grows with the orders that were ever stored is refused, unless a comment in the function that
runs it says why: `# Scans orders: why`.
"""
