"""The database of a configuration that is being mended is found as long as its own line can be read."""

from pathlib import Path

import pytest

from erpsync.settings.rescue import find_database

PG = "postgresql+psycopg://me@db/shop"


@pytest.mark.parametrize(
    "text",
    [
        f"database: {PG}\nwarehouses: 3\n",
        f"database: {PG}\nwarehuoses: []\n",
        f"database: {PG}\n\tweb: x\n",
        f"web: [\ndatabase:   {PG}  # where it lies\n}}\n",
        f"database: '${{WHERE:-{PG}}}'\nstatus: {{freshness_s: -1}}\n",
        "database: ${DB}\nweb: {listen: nowhere}\n",
    ],
)
def test_it_is_found_whatever_else_is_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "erpsync.yaml").write_text(text)

    assert find_database(tmp_path, {"DB": PG}) == PG


@pytest.mark.parametrize(
    "text",
    [
        f"databse: {PG}\n",
        f"database: {PG}\ndatabase: {PG}2\n",
        f"database: {PG}\n\tdatabase: x\ndatabase: {PG}2\n",
        "database: mysql://x\n",
        "database: [a, b]\n",
        "database: ${DB}\n",
        "database: &x {\n",
        "- a list\n",
    ],
)
def test_it_is_never_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / "erpsync.yaml").write_text(text)

    assert find_database(tmp_path, {}) is None


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert find_database(tmp_path, {}) is None


def test_the_usual_file_beside_the_configuration_is_meant_where_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "erpsync.yaml").write_text("warehouses: 3\n")

    assert find_database(tmp_path, {}) == f"sqlite:///{tmp_path}/var/erpsync.db"
