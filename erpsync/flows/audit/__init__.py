"""Audit: what the rules say of orders is looked at, approved and tried.

Promises: an approval is for what was seen; a person's mark beats a rule's; every look that is due is carried out, once
more if it was asked for meanwhile. Called by the daemon, `orders approve|tag|untag|seal|unseal`, `rules`, API, console.
Touches marks, approvals and looks; orders change by being decided anew.
"""
