"""What importers share: how many rows make a commit, and what was taken and refused."""

from dataclasses import dataclass, field

ROWS_PER_COMMIT = 500


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """How many rows were taken, and which were refused: (source, problem); `notes` are of rows that were taken."""

    taken: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
