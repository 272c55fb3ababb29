"""The daemon: which stage runs when, on which thread, and how it starts, reloads and stops.

Nothing here decides about orders or stock: a tick, a wake-up or a restart only means "try", real progress is in tables.
"""
