"""keep the order of canonical documents: jsonb sorts keys, json leaves them as they are."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("definition_versions", "runs")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN canonical TYPE json USING canonical::json")


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
