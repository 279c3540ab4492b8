"""index dialogs for lists."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HANDLER = "(CASE WHEN status = 'closed' THEN last_operator_id ELSE operator_id END)"
SOUGHT = (
    "lower(coalesce(name, '') || E'\\n' || coalesce(phone, '') || E'\\n'"
    " || regexp_replace(coalesce(phone, ''), '\\D', '', 'g') || E'\\n' || coalesce(email, ''))"
)
STATEMENTS = (
    "DROP INDEX ix_dialogs_last_operator_id_id",
    "DROP INDEX ix_dialogs_awaiting_reply_since",
    f"CREATE INDEX ix_dialogs_handler ON dialogs ({HANDLER}, opened_at, id)",
    "CREATE INDEX ix_dialogs_opened_at_id ON dialogs (opened_at, id)",
    "CREATE INDEX ix_dialogs_place_id ON dialogs (place, id) WHERE place IS NOT NULL",
    "CREATE INDEX ix_dialogs_kind_status_id ON dialogs (kind, status, id)",
    "CREATE INDEX ix_dialogs_author_id_id ON dialogs (author_id, id) WHERE author_id IS NOT NULL",
    "CREATE INDEX ix_dialogs_waiting_longest ON dialogs"
    " ((coalesce(awaiting_reply_since, 'infinity'::timestamptz)), id)",
    "CREATE INDEX ix_dialogs_awaiting_id ON dialogs (id) WHERE awaiting_reply_since IS NOT NULL",
    "CREATE INDEX ix_dialogs_last_message ON dialogs ((coalesce(last_message_at, opened_at)), id)",
    "CREATE INDEX ix_events_actor_id_id ON events (actor_id, id) WHERE actor_id IS NOT NULL",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"ALTER TABLE contacts ADD COLUMN sought text NOT NULL GENERATED ALWAYS AS ({SOUGHT}) STORED",
    "CREATE INDEX ix_contacts_sought ON contacts USING gin (sought gin_trgm_ops)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
