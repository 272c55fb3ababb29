"""One folder per platform. Nothing imports this package by name; see the entry-point group `erpsync.connectors`.

Why the file exists: a namespace package would lose its name to any regular package called `connectors`.
"""
