"""Numbers of calls that had no answer and may still take effect."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listing", sa.Column("late", sa.Text(), server_default="[]", nullable=False))
    op.add_column("listing", sa.Column("late_until_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("listing", "late_until_at")
    op.drop_column("listing", "late")
