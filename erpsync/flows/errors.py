"""What a use case says to the person who asked for it."""


class Refused(Exception):
    """The request cannot be done; the text says why and, where it helps, what to do instead.

    Args:
        kept: the same without what a file or message said, for what is stored: in a column that has shifted stands
            somebody's name.
    """

    def __init__(self, text: str, *, kept: str = "") -> None:
        super().__init__(text)
        self.kept = kept or text
