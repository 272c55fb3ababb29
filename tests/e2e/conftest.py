"""Fixtures of the end-to-end tests: a desk with a database, a program at the API on each database, a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.command_desk import Desk, open_desk
from tests.support.api import Api, api_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A configuration folder whose database has its tables and no rows."""
    return open_desk(tmp_path)


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API of a small town."""
    with api_of(database_url) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A headless Chromium."""
    from tests.support.browser import a_chromium

    with a_chromium() as browser:
        yield browser
