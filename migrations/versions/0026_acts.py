"""What people do at the console is carried out once, as what programs ask for is; and views that they keep."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONE_CALLER = "ck_api_request_one_caller"


def upgrade() -> None:
    with op.batch_alter_table("api_request") as table:
        table.alter_column("token_id", existing_type=_KEY, nullable=True)
        table.add_column(sa.Column("user_id", _KEY, nullable=True))
        table.create_foreign_key(op.f("fk_api_request_user_id"), "user_account", ["user_id"], ["id"])
        table.create_unique_constraint(op.f("uq_api_request_user_id_key"), ["user_id", "key"])
        table.create_check_constraint(op.f(_ONE_CALLER), "(token_id IS NULL) <> (user_id IS NULL)")
    op.create_table(
        "saved_view",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("user_id", "page", "name", name=op.f("uq_saved_view_user_id_page_name")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_view_user_id")),
    )


def downgrade() -> None:
    """What people did is forgotten with the version that knows people's acts; it stays in the trail."""
    op.drop_table("saved_view")
    op.execute("DELETE FROM api_request WHERE user_id IS NOT NULL")
    with op.batch_alter_table("api_request") as table:
        table.drop_constraint(op.f(_ONE_CALLER), type_="check")
        table.drop_constraint(op.f("uq_api_request_user_id_key"), type_="unique")
        table.drop_constraint(op.f("fk_api_request_user_id"), type_="foreignkey")
        table.drop_column("user_id")
        table.alter_column("token_id", existing_type=_KEY, nullable=False)
