"""find what is overdue: one index tells which dialogs are late and which deadline presses most; the folder of them."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PRESSING = """
CREATE INDEX ix_clocks_pressing ON clocks ((coalesce(breached_at, due_at)), dialog_id)
    WHERE (state = 'running' OR state = 'paused' AND breached_at IS NOT NULL) AND metric NOT IN ('accept', 'respond');
DROP INDEX ix_clocks_overdue;
DROP INDEX ix_clocks_breached;
"""
FOLDER = """
INSERT INTO folders (id, key, kind, name, criteria, is_public)
VALUES (gen_random_uuid(), 'overdue', 'folder', 'Прострочені (overdue)', '{"overdue": ["true"]}', true)
ON CONFLICT (key) DO NOTHING
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.get_bind().exec_driver_sql(PRESSING)
    op.get_bind().exec_driver_sql(FOLDER)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
