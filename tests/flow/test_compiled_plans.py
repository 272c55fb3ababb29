"""What a PostgreSQL server does by itself that statements as short as ours lose by."""

from sqlalchemy import text

from tests.support.dialects import on_postgresql
from tests.support.shop import Town


@on_postgresql
def test_no_statement_is_compiled_before_it_is_run(town: Town) -> None:
    with town.store.read() as connection:
        assert connection.execute(text("SHOW jit")).scalar_one() == "off"
