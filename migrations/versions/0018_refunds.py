"""What was to pay when money was given back, totals before they were lowered, and numbers that parcels had before."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DECIDED = """
UPDATE refund SET to_pay_minor = (
    SELECT orders.total_minor FROM orders
    WHERE orders.channel_id = refund.channel_id AND orders.external_id = refund.order_external_id
) WHERE state = 'granted'
"""
"""What was granted so far was judged by the totals as they stand; nobody is asked about it again."""


def upgrade() -> None:
    op.add_column("orders", sa.Column("most_minor", _BIG, nullable=True))
    op.add_column("orders", sa.Column("lowered_at", sa.BigInteger(), nullable=True))
    op.add_column("refund", sa.Column("to_pay_minor", _BIG, nullable=True))
    op.create_table(
        "former_tracking",
        sa.Column("shipment_id", _BIG, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking", sa.Text(), nullable=False),
        sa.Column("corrected_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name="fk_former_tracking_shipment_id"),
        sa.PrimaryKeyConstraint("shipment_id", "carrier", "tracking", name="pk_former_tracking"),
    )
    op.execute(sa.text(_DECIDED))


def downgrade() -> None:
    op.drop_table("former_tracking")
    op.drop_column("refund", "to_pay_minor")
    op.drop_column("orders", "lowered_at")
    op.drop_column("orders", "most_minor")
