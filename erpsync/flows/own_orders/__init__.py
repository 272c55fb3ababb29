"""Orders that no channel knows: made here by phone, for a business, or to be paid on delivery; they end with us.

Promises: the same key is one order, however often and by how many at once it is sent; a form that says something wrong
stores nothing; from there on such an order goes the way of any other, and no channel ever hears of it. Called by
commands, API and console, and by the daemon's clock. Touches orders and lines, and units through `allocation`.
"""
