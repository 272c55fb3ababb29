"""What a use case says to the person who asked for it."""


class Refused(Exception):
    """The request cannot be done; the text says why and, where it helps, what to do instead."""
