"""How everything stands at one instant: counts, latencies, storage, and what of it is a problem."""
