"""The shipping desk: what people pick, print, pack and scan in warehouses that no system runs.

Promises: a release is in one wave at a time; no paper before its orders were read again, and every one on record, its
copies numbered, before anybody has it; a parcel leaves once, however often and by however many it is scanned, and what
must not leave is refused with what to do instead. Called by `releases`, `waves`, `papers`, the API, the console and the
daemon. Touches waves, prints and stops; what has left is booked by `warehouses`.
"""
