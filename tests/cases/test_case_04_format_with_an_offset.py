"""A format of instants that carries its own offset.

Seen in: archesproject/arches#6043, metabase/metabase#43915.
"""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from connectors.csv_drop.settings import CsvDropSettings
from tests.support.export import Export


def test_a_format_with_an_offset_is_taken_and_read(export: Callable[..., Export]) -> None:
    shop = export(profile="generic", datetime_formats=["%d/%m/%Y %H:%M:%S %z"])
    shop.drop_case("04-format-with-an-offset/orders.csv")

    assert shop.order("D1")["placed_at"] == "2026-11-22T02:01:02Z"
    assert (shop.status("D1"), shop.letters()) == (("allocated", None), [])


@pytest.mark.parametrize("form", ["%H:%M:%S %z", "%d/%m %z", "no date"])
def test_a_format_without_a_whole_date_is_still_refused(form: str) -> None:
    with pytest.raises(ValidationError, match="does not carry a whole date"):
        CsvDropSettings(folder="in", datetime_formats=[form])  # type: ignore[arg-type]
