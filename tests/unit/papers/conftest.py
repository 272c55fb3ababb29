"""One process that sets pages for all tests of a file: starting one takes longer than most papers."""

from collections.abc import Iterator

import pytest

from erpsync.papers.papers import Papers
from tests.support.papers import FONT, PATIENT_S


@pytest.fixture(scope="module")
def papers() -> Iterator[Papers]:
    """Papers with our templates and the font that tests have."""
    with Papers((FONT,), limit_s=PATIENT_S) as made:
        yield made
