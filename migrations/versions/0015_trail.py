"""Events by who acted, and those of a SKU in turn: the trail is walked backwards along them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OF_SKU = sa.text("sku_id IS NOT NULL")
_BY_SOMEBODY = sa.text("actor <> ''")


def upgrade() -> None:
    op.create_index(
        "ix_event_actor", "event", ["actor", "id"], sqlite_where=_BY_SOMEBODY, postgresql_where=_BY_SOMEBODY
    )
    op.drop_index("ix_event_sku_id", "event")
    op.create_index("ix_event_sku_id", "event", ["sku_id", "id"], sqlite_where=_OF_SKU, postgresql_where=_OF_SKU)


def downgrade() -> None:
    op.drop_index("ix_event_sku_id", "event")
    op.create_index("ix_event_sku_id", "event", ["sku_id"], sqlite_where=_OF_SKU, postgresql_where=_OF_SKU)
    op.drop_index("ix_event_actor", "event")
