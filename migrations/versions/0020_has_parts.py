"""A line that has parts of its own is called that: bundles are not the only ones that have."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE order_line RENAME COLUMN is_bundle TO has_parts")


def downgrade() -> None:
    op.execute("ALTER TABLE order_line RENAME COLUMN has_parts TO is_bundle")
