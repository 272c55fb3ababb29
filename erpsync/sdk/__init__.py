"""All that a connector may import: types, roles, errors, HTTP, windows, readers, carriers, sandbox, conformance suite.

Why a package of its own: a connector written outside this repository depends on these modules and on nothing else.
Why it has a version of its own: erpsync may change a hundred times without anything changing for a connector.
"""

VERSION = "1.2"
"""Within one first number nothing is taken away and nothing that stays means something else; what comes new raises the
second one."""

__version__ = VERSION
