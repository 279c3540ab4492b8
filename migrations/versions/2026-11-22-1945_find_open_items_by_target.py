"""find the open items of a target, whether they have begun or not."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP INDEX ix_run_items_live_targets",
    "CREATE INDEX ix_run_items_open_targets ON run_items (target_key) WHERE state IN ('pending','running','waiting')",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
