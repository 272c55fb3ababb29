"""All that a connector may import: types, roles, errors, HTTP, windows, carriers, sandbox and the conformance suite.

Why a package of its own: a connector written outside this repository depends on these modules and on nothing else.
"""
