"""Dead letters that no other reading helps; who paused a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dead_letter", sa.Column("broken", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text("UPDATE dead_letter SET broken = true WHERE kind IN ('listing', 'warehouse_report')"))
    op.add_column("channel", sa.Column("paused_by", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("channel", "paused_by")
    op.drop_column("dead_letter", "broken")
