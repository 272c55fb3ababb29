"""What lies in the warehouses, and what our codes are called elsewhere: counts, listings, bundles, policies.

Promises: a count is taken at the instant it was made, movements since then counted in; a count nobody believes waits
for a person. A code that becomes known or is corrected maps the orders that wait. Called by commands, the API and
`warehouses`. Touches stock, listings, bundles, and what waited for them.
"""
