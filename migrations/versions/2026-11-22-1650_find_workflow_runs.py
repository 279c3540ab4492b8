"""find workflow runs by run, by kind and by time."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE UNIQUE INDEX uq_workflow_runs_run_id ON workflow_runs (run_id)",
    "CREATE INDEX ix_workflow_runs_started_at_run_id ON workflow_runs (started_at, run_id)",
    "CREATE INDEX ix_workflow_runs_kind_started_at_run_id ON workflow_runs (kind, started_at, run_id)",
    # Histories arrive compressed: compressing them again only costs time.
    "ALTER TABLE workflow_runs ALTER COLUMN history SET STORAGE EXTERNAL",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
