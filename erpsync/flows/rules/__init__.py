"""What the seller's rules say of orders, judged in the commit that changes a fact.

Promises: an order that is still to leave stands as the rules in force want it, whatever it went through; what a person
decided and what has left stay. Called by every decision about orders. Touches marks, approvals, gifts and looks.
"""
