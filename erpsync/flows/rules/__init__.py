"""What the seller's rules say of orders, judged in the commit that changes a fact, and of parcels.

Promises: an order that is still to leave stands as the rules in force want it, whatever it went through; what a person
decided and what has left stay. Parcels are judged when they are planned and chosen for, and nothing of that is kept.
Called by every decision about orders, and by `warehouses` and `couriers`. Touches marks, approvals, gifts and looks.
"""
