"""How many webhooks of a channel could not be stored, and when the last one came."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "channel",
        sa.Column(
            "not_stored", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
    )
    op.add_column("channel", sa.Column("not_stored_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("channel", "not_stored_at")
    op.drop_column("channel", "not_stored")
