"""Trouble reports of other systems as tests: each folder holds the files, each test says what has to happen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.export import Export, make_export


@pytest.fixture
def export(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Export]]:
    """Make a shop of dropped files with the settings given."""
    made: list[Export] = []

    def make(**settings: Any) -> Export:
        made.append(make_export(database_url, tmp_path, **settings))
        return made[-1]

    yield make
    for each in made:
        each.ctx.store.close()
