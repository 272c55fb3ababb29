"""Why things are as they are: the number of a listing as it is computed for a push, and what an order waits for.

Promises: what is said is what the other rooms would do now, told by their own functions, with the amounts, instants,
settings and orders that make it so; what is not kept (what a warehouse had last week) is not made up. Called by the
command line and the API. Touches nothing: it only reads.
"""
