"""What nodes say of themselves: that they left, a reload they refused, the configuration they work by."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("node", sa.Column("left_at", sa.BigInteger(), nullable=True))
    op.add_column("node", sa.Column("refused_at", sa.BigInteger(), nullable=True))
    op.add_column("node", sa.Column("refused", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "in_force",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_in_force")),
    )


def downgrade() -> None:
    op.drop_table("in_force")
    op.drop_column("node", "refused")
    op.drop_column("node", "refused_at")
    op.drop_column("node", "left_at")
