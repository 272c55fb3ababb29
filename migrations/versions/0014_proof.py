"""The proof of the keys; since when a channel shows the number it shows."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_proof",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_proof")),
    )
    op.add_column("listing", sa.Column("shown_since_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("listing", "shown_since_at")
    op.drop_table("key_proof")
