"""find the dialogs of an ended run in which a client still waits for an answer."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX ix_dialogs_bot_run ON dialogs (bot_run) WHERE place = 'bot' AND awaiting_reply_since IS NOT NULL"
    )


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
