"""What orders are called, kept in a form in which parts of a name are found.

Why a table of its own: neither database finds the end of a text by an ordinary index, the extensions that do are not
everywhere, and our number, the channel's id and tracking numbers are looked for in the same way.
Why in parts: ends of names are spread at random, and an index over them all would cost every import as many pages as
it writes rows. Orders of one part came one after the other, so what is written lies together, and whoever looks goes
from the newest part to the oldest. A reference to the order would cost a look-up a row; orders are never deleted.
"""

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text

from erpsync.store.tables.base import BigInt, metadata

order_name = Table(
    "order_name",
    metadata,
    Column("part", BigInt, nullable=False),
    Column("name", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("order_id", BigInt, nullable=False),
    PrimaryKeyConstraint("part", "name", "order_id"),
    sqlite_with_rowid=False,
)
