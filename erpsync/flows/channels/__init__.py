"""Whether and how a configured shop may be called: its health, credentials and clock, and what people decide of it.

Promises: a shop that does not answer is said to be down once and called less; a token is renewed by one node. Called
from every room above. Touches the rows of channels, cursors and tokens.
"""
