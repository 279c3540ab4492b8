"""let runs of the system's own offer dialogs, and notes be pinned."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE transfers ALTER COLUMN offered_by DROP NOT NULL")
    op.execute("ALTER TABLE messages ADD COLUMN is_pinned boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
