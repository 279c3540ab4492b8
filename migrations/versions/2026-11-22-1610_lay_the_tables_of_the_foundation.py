"""lay the tables of the foundation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "command_results",
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_command_results")),
    )
    op.create_index("ix_command_results_created_at", "command_results", ["created_at"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column(
            "tags", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("banned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("banned_by", sa.Uuid(), nullable=True),
        sa.Column("ban_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("team_key", sa.Text(), nullable=True),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column(
            "data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("seq", name=op.f("uq_events_seq")),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_dialog_id_id", "events", ["dialog_id", "id"], unique=False)
    op.create_index("ix_events_kind_at", "events", ["kind", "at"], unique=False)
    op.create_index("ix_events_unnumbered", "events", ["id"], unique=False, postgresql_where=sa.text("seq IS NULL"))
    op.create_table(
        "pending_commands",
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_pending_commands")),
    )
    op.create_index(
        "ix_pending_commands_open",
        "pending_commands",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("expired_at IS NULL"),
    )
    op.create_table(
        "reactions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "not_before", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reactions")),
    )
    op.create_index(
        "ix_reactions_due", "reactions", ["not_before"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(
        "ix_reactions_open",
        "reactions",
        ["workflow_id", "id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "roles",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_built_in", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_roles")),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index("ix_sign_in_attempts_subject_at", "sign_in_attempts", ["subject", "at"], unique=False)
    op.create_table(
        "tags",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tags")),
    )
    op.create_table(
        "teams",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("distribution", sa.Text(), server_default=sa.text("'least_loaded'"), nullable=False),
        sa.Column("auto", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("transfer_window", sa.BigInteger(), server_default=sa.text("120"), nullable=False),
        sa.Column("transfer_fallback", sa.Text(), server_default=sa.text("'return'"), nullable=False),
        sa.Column("accept_norm", sa.BigInteger(), nullable=True),
        sa.Column("respond_norm", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "distribution IN ('least_loaded','round_robin','topic_priority')", name=op.f("ck_teams_method_known")
        ),
        sa.CheckConstraint("transfer_fallback IN ('return','pool')", name=op.f("ck_teams_fallback_known")),
        sa.CheckConstraint("transfer_window BETWEEN 5 AND 86400", name=op.f("ck_teams_window_in_range")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_teams")),
        sa.UniqueConstraint("number", name=op.f("uq_teams_number")),
    )
    op.create_table(
        "topics",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_key", sa.Text(), nullable=True),
        sa.Column(
            "aliases", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("priority", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(["parent_key"], ["topics.key"], name=op.f("fk_topics_parent_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_topics")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("locale", sa.Text(), server_default=sa.text("'uk'"), nullable=False),
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "workflow_runs",
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=True),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=True),
        sa.Column("history", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("workflow_id", "run_id", name=op.f("pk_workflow_runs")),
    )
    op.create_index("ix_workflow_runs_dialog_id", "workflow_runs", ["dialog_id"], unique=False)
    op.create_index(
        "ix_workflow_runs_open",
        "workflow_runs",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "channels",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team_key", sa.Text(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("reopen_window", sa.BigInteger(), server_default=sa.text("86400"), nullable=False),
        sa.Column(
            "settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('telegram', 'viber', 'whatsapp', 'facebook', 'instagram', 'facebook_comments', 'instagram_comments', 'email', 'widget', 'telephony', 'sms', 'generic')",
            name=op.f("ck_channels_kind_known"),
        ),
        sa.CheckConstraint("reopen_window >= 0", name=op.f("ck_channels_reopen_window_not_negative")),
        sa.ForeignKeyConstraint(["team_key"], ["teams.key"], name=op.f("fk_channels_team_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_channels")),
    )
    op.create_table(
        "operators",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("max_dialogs", sa.BigInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column(
            "channel_limits",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("daily_quota", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'offline'"), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("status_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('online','busy','away','offline')", name=op.f("ck_operators_status_known")),
        sa.CheckConstraint("max_dialogs >= 0", name=op.f("ck_operators_limit_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operators_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operators")),
    )
    op.create_table(
        "role_permissions",
        sa.Column("role_key", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_key"], ["roles.key"], name=op.f("fk_role_permissions_role_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role_key", "permission", name=op.f("pk_role_permissions")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "team_members",
        sa.Column("team_key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["team_key"], ["teams.key"], name=op.f("fk_team_members_team_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team_key", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"], unique=False)
    op.create_table(
        "team_topics",
        sa.Column("topic_key", sa.Text(), nullable=False),
        sa.Column("team_key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["team_key"], ["teams.key"], name=op.f("fk_team_topics_team_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["topic_key"], ["topics.key"], name=op.f("fk_team_topics_topic_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("topic_key", "team_key", name=op.f("pk_team_topics")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "scopes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["role_key"], ["roles.key"], name=op.f("fk_user_roles_role_key")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "role_key", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "contact_touches",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_contact_touches_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.user_id"], name=op.f("fk_contact_touches_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", "day", "contact_id", name=op.f("pk_contact_touches")),
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("channel_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.key"], name=op.f("fk_identities_channel_key")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_identities_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("channel_key", "address", name=op.f("uq_identities_channel_key_address")),
    )
    op.create_index("ix_identities_address", "identities", ["address"], unique=False)
    op.create_index(op.f("ix_identities_contact_id"), "identities", ["contact_id"], unique=False)
    op.create_table(
        "presence_intervals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.user_id"], name=op.f("fk_presence_intervals_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_intervals")),
    )
    op.create_index(
        "ix_presence_intervals_operator_id_started_at",
        "presence_intervals",
        ["operator_id", "started_at"],
        unique=False,
    )
    op.create_index(
        "uq_presence_intervals_open",
        "presence_intervals",
        ["operator_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "presence_leases",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.user_id"], name=op.f("fk_presence_leases_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_presence_leases")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "dialogs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'chat'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("channel_key", sa.Text(), nullable=False),
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("thread", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("topic_key", sa.Text(), nullable=True),
        sa.Column("team_key", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("last_operator_id", sa.Uuid(), nullable=True),
        sa.Column("reserved_for", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("priority", sa.Text(), server_default=sa.text("'normal'"), nullable=False),
        sa.Column("weight", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_forced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("cycle", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("last_message_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awaiting_reply_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_client_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'ticket' AND status IN ('open','in_progress','pending','resolved','closed')) OR (kind <> 'ticket' AND status IN ('new','open','closed'))",
            name=op.f("ck_dialogs_status_fits_kind"),
        ),
        sa.CheckConstraint(
            "(place = 'owned') IS NOT TRUE OR operator_id IS NOT NULL", name=op.f("ck_dialogs_owned_has_operator")
        ),
        sa.CheckConstraint(
            "(place = 'owned') IS TRUE OR operator_id IS NULL", name=op.f("ck_dialogs_only_owned_has_operator")
        ),
        sa.CheckConstraint("(status = 'closed') = (place IS NULL)", name=op.f("ck_dialogs_exactly_one_place")),
        sa.CheckConstraint("kind IN ('chat','ticket','comment','group')", name=op.f("ck_dialogs_kind_known")),
        sa.CheckConstraint(
            "place IS NULL OR place IN ('bot','unassigned','queued','owned')", name=op.f("ck_dialogs_place_known")
        ),
        sa.CheckConstraint("priority IN ('low','normal','high','critical')", name=op.f("ck_dialogs_priority_known")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_dialogs_author_id")),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.key"], name=op.f("fk_dialogs_channel_key")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_dialogs_contact_id")),
        sa.ForeignKeyConstraint(["identity_id"], ["identities.id"], name=op.f("fk_dialogs_identity_id")),
        sa.ForeignKeyConstraint(["last_operator_id"], ["users.id"], name=op.f("fk_dialogs_last_operator_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_dialogs_operator_id")),
        sa.ForeignKeyConstraint(["reserved_for"], ["users.id"], name=op.f("fk_dialogs_reserved_for")),
        sa.ForeignKeyConstraint(["team_key"], ["teams.key"], name=op.f("fk_dialogs_team_key")),
        sa.ForeignKeyConstraint(["topic_key"], ["topics.key"], name=op.f("fk_dialogs_topic_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogs")),
        sa.UniqueConstraint("number", name=op.f("uq_dialogs_number")),
    )
    op.create_index(
        "ix_dialogs_awaiting_reply_since",
        "dialogs",
        ["awaiting_reply_since"],
        unique=False,
        postgresql_where=sa.text("awaiting_reply_since IS NOT NULL"),
    )
    op.create_index("ix_dialogs_channel_key_id", "dialogs", ["channel_key", "id"], unique=False)
    op.create_index("ix_dialogs_contact_id_id", "dialogs", ["contact_id", "id"], unique=False)
    op.create_index("ix_dialogs_identity_id_id", "dialogs", ["identity_id", "id"], unique=False)
    op.create_index("ix_dialogs_last_operator_id_id", "dialogs", ["last_operator_id", "id"], unique=False)
    op.create_index(
        "ix_dialogs_operator_id_id",
        "dialogs",
        ["operator_id", "id"],
        unique=False,
        postgresql_where=sa.text("operator_id IS NOT NULL"),
    )
    op.create_index(
        "ix_dialogs_rating_id",
        "dialogs",
        ["rating", "id"],
        unique=False,
        postgresql_where=sa.text("rating IS NOT NULL"),
    )
    op.create_index("ix_dialogs_status_channel_key_id", "dialogs", ["status", "channel_key", "id"], unique=False)
    op.create_index("ix_dialogs_status_id", "dialogs", ["status", "id"], unique=False)
    op.create_index("ix_dialogs_status_team_key_id", "dialogs", ["status", "team_key", "id"], unique=False)
    op.create_index("ix_dialogs_status_topic_key_id", "dialogs", ["status", "topic_key", "id"], unique=False)
    op.create_index("ix_dialogs_tags", "dialogs", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_dialogs_team_key_id", "dialogs", ["team_key", "id"], unique=False)
    op.create_index("ix_dialogs_topic_key_id", "dialogs", ["topic_key", "id"], unique=False)
    op.create_index(
        "ix_dialogs_waiting",
        "dialogs",
        ["team_key", "waiting_since"],
        unique=False,
        postgresql_where=sa.text("place IN ('queued','unassigned')"),
    )
    op.create_index(
        "uq_dialogs_open_per_thread",
        "dialogs",
        ["channel_key", "identity_id", "thread"],
        unique=True,
        postgresql_where=sa.text("status <> 'closed' AND kind <> 'ticket'"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_attachments_dialog_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_dialog_id"), "attachments", ["dialog_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("team_key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("winner_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "candidates", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "excluded", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("took", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_decisions_dialog_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_at", "decisions", ["at"], unique=False)
    op.create_index(op.f("ix_decisions_dialog_id"), "decisions", ["dialog_id"], unique=False)
    op.create_table(
        "exclusions",
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ends_alone_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_exclusions_dialog_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_exclusions_operator_id")),
        sa.PrimaryKeyConstraint("dialog_id", "operator_id", name=op.f("pk_exclusions")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "attachments",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("channel_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("delivery_error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "words", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', text)", persisted=True), nullable=False
        ),
        sa.CheckConstraint(
            "(direction = 'out') = (delivery IS NOT NULL)", name=op.f("ck_messages_only_outgoing_is_delivered")
        ),
        sa.CheckConstraint("direction IN ('in','out','note')", name=op.f("ck_messages_direction_known")),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_messages_dialog_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("dialog_id", "seq", name=op.f("uq_messages_dialog_id_seq")),
    )
    op.create_index(
        "ix_messages_unsettled",
        "messages",
        ["dialog_id", "seq"],
        unique=False,
        postgresql_where=sa.text("delivery IN ('queued','sending')"),
    )
    op.create_index(
        "ix_messages_words",
        "messages",
        ["words"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "on"},
    )
    op.create_index(
        "uq_messages_channel_key_external_id",
        "messages",
        ["channel_key", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL AND direction = 'in'"),
    )
    op.create_table(
        "participants",
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'participant'"), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_participants_dialog_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_participants_user_id")),
        sa.PrimaryKeyConstraint("dialog_id", "user_id", "role", name=op.f("pk_participants")),
    )
    op.create_index(op.f("ix_participants_user_id"), "participants", ["user_id"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel_key", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_limit", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(kind = 'offer') = (expires_at IS NOT NULL)", name=op.f("ck_reservations_offers_expire")),
        sa.CheckConstraint("kind IN ('held','offer')", name=op.f("ck_reservations_kind_known")),
        sa.ForeignKeyConstraint(
            ["dialog_id"], ["dialogs.id"], name=op.f("fk_reservations_dialog_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.user_id"], name=op.f("fk_reservations_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_operator_id"), "reservations", ["operator_id"], unique=False)
    op.create_index("uq_reservations_dialog_id_kind", "reservations", ["dialog_id", "kind"], unique=True)
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("from_operator", sa.Uuid(), nullable=True),
        sa.Column("to_operator", sa.Uuid(), nullable=True),
        sa.Column("to_team", sa.Text(), nullable=True),
        sa.Column("offered_by", sa.Uuid(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("holder_after", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name=op.f("ck_transfers_ends_once")),
        sa.CheckConstraint(
            "state IN ('pending','accepted','declined','cancelled','rescinded','expired')",
            name=op.f("ck_transfers_state_known"),
        ),
        sa.CheckConstraint("(to_operator IS NULL) <> (to_team IS NULL)", name=op.f("ck_transfers_one_target")),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_transfers_dialog_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["from_operator"], ["users.id"], name=op.f("fk_transfers_from_operator")),
        sa.ForeignKeyConstraint(["offered_by"], ["users.id"], name=op.f("fk_transfers_offered_by")),
        sa.ForeignKeyConstraint(["to_operator"], ["users.id"], name=op.f("fk_transfers_to_operator")),
        sa.ForeignKeyConstraint(["to_team"], ["teams.key"], name=op.f("fk_transfers_to_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_index(
        "ix_transfers_deadline", "transfers", ["deadline"], unique=False, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_index(op.f("ix_transfers_dialog_id"), "transfers", ["dialog_id"], unique=False)
    op.create_index(
        "ix_transfers_to_operator",
        "transfers",
        ["to_operator"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_transfers_pending", "transfers", ["dialog_id"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
