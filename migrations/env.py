"""Runs migrations on the connection that `erpsync.store.db.migration` gives, inside its transaction and lock."""

from alembic import context

from erpsync.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
