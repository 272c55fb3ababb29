"""Couriers: who takes a parcel, its number, what becomes of a number that is not needed.

Promises: a parcel has one live waybill; a booking is sent a second time only with its key, and only where the courier
takes a key once; the number of a parcel that left is never voided, and another one is booked only when the courier has
said that the first is void. Called by `warehouses` when it makes and ends releases, by `intake`, by the daemon, and by
people. Touches waybills, releases' couriers, and what accounts say of themselves.
"""
