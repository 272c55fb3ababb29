"""Comparing with what channels show: hours proven to be read whole, numbers that drifted, parcels that got lost there.

Promises: what was missed is found and brought in; nothing is called proven that was not read twice. Called by the
daemon at leisure and by `prove`. Touches windows and drift, and everything else through `orders` and `availability`.
"""
