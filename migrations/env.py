"""Alembic's entry: runs on the connection handed over by store.migrating."""

from alembic import context

from store.tables import Row

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Row.metadata, compare_type=True, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
