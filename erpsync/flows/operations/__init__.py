"""What keeps a shop going: answers to tasks and dead letters, reservations that end, rows that are old, keys.

Promises: every chore may run twice, on two nodes, and be killed in between. Called by commands, the API and the
daemon's upkeep. Touches whatever a chore is about, through the rooms below.
"""
