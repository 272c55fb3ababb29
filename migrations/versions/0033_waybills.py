"""What a courier gave to a booking is sealed as one; when a booking was looked for; why a release has its courier."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("waybill", "handle")
    op.add_column("waybill", sa.Column("looked_at", sa.BigInteger()))
    op.add_column("release", sa.Column("choice", sa.Text()))


def downgrade() -> None:
    op.drop_column("release", "choice")
    op.drop_column("waybill", "looked_at")
    op.add_column("waybill", sa.Column("handle", sa.Text(), server_default="", nullable=False))
