"""By how much a platform's clock leads ours, as its answers last told."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channel", sa.Column("clock_ahead_s", sa.Float(), nullable=True))
    op.add_column("channel", sa.Column("clock_told_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("channel", "clock_told_at")
    op.drop_column("channel", "clock_ahead_s")
