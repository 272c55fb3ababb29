"""Records on their way in: in normal form, in batches, and what of them counts or was not understood.

Promises: of two versions the newer counts, whatever came later; what was not understood is kept as a dead letter and
holds its order. Called by `orders` in its transaction. Touches dead letters and the tasks about them.
"""
