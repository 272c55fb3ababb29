"""Fixtures of the flow tests: a town of small shops on each database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.shop import Town, build_town


@pytest.fixture
def make_town(database_url: str) -> Iterator[Callable[..., Town]]:
    """Build towns on this test's database; each is closed at the end."""
    made: list[Town] = []

    def make(**options: Any) -> Town:
        made.append(build_town(database_url, **options))
        return made[-1]

    yield make
    for town in made:
        town.store.close()


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop, one warehouse SH."""
    return make_town()
