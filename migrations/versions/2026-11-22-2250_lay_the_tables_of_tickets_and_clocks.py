"""lay the tables of tickets and clocks: what a ticket has more than a chat, calendars, policies, clocks, their ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: written out: what the roles start with may change later, what this migration granted may not
GRANTED = {
    "operator": ("dialog.open",),
    "supervisor": ("dialog.open", "reports.read"),
    "admin": ("dialog.open", "reports.read", "sla.manage", "tickets.manage"),
}
_GRANT = sa.text("""
INSERT INTO role_permissions (role_key, permission)
SELECT key, :permission FROM roles WHERE key = :role AND is_built_in ON CONFLICT DO NOTHING
""")

TICKETS = """
CREATE TABLE priorities (
    key text CONSTRAINT pk_priorities PRIMARY KEY, name_uk text NOT NULL, name_en text NOT NULL,
    position bigint NOT NULL CONSTRAINT uq_priorities_position UNIQUE);
INSERT INTO priorities (key, name_uk, name_en, position) VALUES
    ('low', 'Низький', 'Low', 10), ('normal', 'Середній', 'Medium', 20), ('high', 'Високий', 'High', 30),
    ('critical', 'Критичний', 'Critical', 40);
ALTER TABLE dialogs DROP CONSTRAINT ck_dialogs_priority_known;
ALTER TABLE dialogs ADD CONSTRAINT fk_dialogs_priority FOREIGN KEY (priority) REFERENCES priorities (key);
CREATE TABLE ticket_fields (
    key text CONSTRAINT pk_ticket_fields PRIMARY KEY, name text NOT NULL, type text NOT NULL,
    options jsonb NOT NULL DEFAULT '[]'::jsonb, active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_ticket_fields_type_known CHECK (type IN ('text','number','date','list','link')));
CREATE TABLE topic_fields (
    topic_key text NOT NULL CONSTRAINT fk_topic_fields_topic_key REFERENCES topics (key) ON DELETE CASCADE,
    field_key text NOT NULL CONSTRAINT fk_topic_fields_field_key REFERENCES ticket_fields (key) ON DELETE CASCADE,
    position bigint NOT NULL DEFAULT 0, required boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_topic_fields PRIMARY KEY (topic_key, field_key));
CREATE SEQUENCE ticket_numbers START 1001;
ALTER TABLE dialogs ADD COLUMN ticket_number bigint, ADD COLUMN description text,
    ADD COLUMN pending_until timestamptz, ADD COLUMN keeps_time boolean NOT NULL DEFAULT false,
    ADD COLUMN merged_into uuid CONSTRAINT fk_dialogs_merged_into REFERENCES dialogs (id);
ALTER TABLE dialogs ADD CONSTRAINT uq_dialogs_ticket_number UNIQUE (ticket_number);
UPDATE dialogs SET ticket_number = numbered.n FROM (
    SELECT id, nextval('ticket_numbers') AS n FROM (SELECT id FROM dialogs WHERE kind = 'ticket' ORDER BY number) AS old
) AS numbered WHERE numbered.id = dialogs.id;
CREATE INDEX ix_dialogs_pending_until ON dialogs (pending_until) WHERE pending_until IS NOT NULL;
CREATE INDEX ix_dialogs_merged_into ON dialogs (merged_into) WHERE merged_into IS NOT NULL;
ALTER TABLE messages ADD COLUMN moved_from uuid CONSTRAINT fk_messages_moved_from REFERENCES dialogs (id);
"""
POLICIES = """
CREATE TABLE calendars (
    key text CONSTRAINT pk_calendars PRIMARY KEY, name text NOT NULL, version bigint NOT NULL DEFAULT 1,
    active boolean NOT NULL DEFAULT true, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE calendar_versions (
    key text NOT NULL CONSTRAINT fk_calendar_versions_key REFERENCES calendars (key) ON DELETE CASCADE,
    version bigint NOT NULL, body jsonb NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), made_by uuid,
    CONSTRAINT pk_calendar_versions PRIMARY KEY (key, version));
CREATE TABLE sla_policies (
    key text CONSTRAINT pk_sla_policies PRIMARY KEY, name text NOT NULL, version bigint NOT NULL DEFAULT 1,
    active boolean NOT NULL DEFAULT true, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE sla_policy_versions (
    key text NOT NULL CONSTRAINT fk_sla_policy_versions_key REFERENCES sla_policies (key) ON DELETE CASCADE,
    version bigint NOT NULL, body jsonb NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), made_by uuid,
    CONSTRAINT pk_sla_policy_versions PRIMARY KEY (key, version));
ALTER TABLE topics
    ADD COLUMN calendar_key text CONSTRAINT fk_topics_calendar_key REFERENCES calendars (key),
    ADD COLUMN sla_key text CONSTRAINT fk_topics_sla_key REFERENCES sla_policies (key);
"""
CLOCKS = """
CREATE TABLE timed_dialogs (
    dialog_id uuid CONSTRAINT pk_timed_dialogs PRIMARY KEY
        CONSTRAINT fk_timed_dialogs_dialog_id REFERENCES dialogs (id) ON DELETE CASCADE,
    life jsonb NOT NULL, wakes_at timestamptz);
CREATE TABLE clocks (
    id uuid CONSTRAINT pk_clocks PRIMARY KEY,
    dialog_id uuid NOT NULL CONSTRAINT fk_clocks_dialog_id REFERENCES dialogs (id) ON DELETE CASCADE,
    metric text NOT NULL, alias text NOT NULL, status text NOT NULL DEFAULT '', cycle bigint NOT NULL,
    started_at timestamptz NOT NULL, state text NOT NULL, target bigint NOT NULL,
    warn jsonb NOT NULL DEFAULT '[]'::jsonb, warned jsonb NOT NULL DEFAULT '[]'::jsonb,
    policy_key text, policy_version bigint, calendar_key text, calendar_version bigint,
    topic_key text, team_key text, priority text,
    due_at timestamptz, next_at timestamptz, breached_at timestamptz, ended_at timestamptz, result text,
    CONSTRAINT ck_clocks_metric_known CHECK (metric IN ('tfr','nrt','ttc','tis','accept','respond')),
    CONSTRAINT ck_clocks_state_known CHECK (state IN ('running','paused','ended')),
    CONSTRAINT ck_clocks_result_known CHECK (result IN ('met','breached','dropped')),
    CONSTRAINT ck_clocks_ended_has_result
        CHECK ((state = 'ended') = (result IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)),
    CONSTRAINT ck_clocks_only_running_is_due CHECK (state = 'running' OR next_at IS NULL),
    CONSTRAINT ck_clocks_target_positive CHECK (target >= 1));
CREATE UNIQUE INDEX uq_clocks_open ON clocks (dialog_id, metric, status) WHERE state <> 'ended';
CREATE INDEX ix_clocks_dialog_id_started_at ON clocks (dialog_id, started_at);
CREATE INDEX ix_clocks_next_at ON clocks (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX ix_clocks_overdue ON clocks (due_at, dialog_id) WHERE state <> 'ended';
CREATE INDEX ix_clocks_breached ON clocks (dialog_id) WHERE state <> 'ended' AND breached_at IS NOT NULL;
CREATE INDEX ix_clocks_metric_ended_at ON clocks (metric, ended_at) WHERE state = 'ended';
CREATE INDEX ix_clocks_policy_key ON clocks (policy_key) WHERE state <> 'ended';
CREATE INDEX ix_clocks_calendar_key ON clocks (calendar_key) WHERE state <> 'ended';
CREATE TABLE clock_intervals (
    clock_id uuid NOT NULL CONSTRAINT fk_clock_intervals_clock_id REFERENCES clocks (id) ON DELETE CASCADE,
    number bigint NOT NULL, state text NOT NULL, began_at timestamptz NOT NULL, ended_at timestamptz,
    cause text NOT NULL, actor_kind text NOT NULL, actor_id uuid, changed jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT pk_clock_intervals PRIMARY KEY (clock_id, number),
    CONSTRAINT ck_clock_intervals_state_known CHECK (state IN ('running','paused')),
    CONSTRAINT ck_clock_intervals_ends_after_it_began CHECK (ended_at IS NULL OR ended_at >= began_at));
CREATE UNIQUE INDEX uq_clock_intervals_open ON clock_intervals (clock_id) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statements in (TICKETS, POLICIES, CLOCKS):
        op.get_bind().exec_driver_sql(statements)
    for role, permissions in GRANTED.items():
        for permission in permissions:
            op.get_bind().execute(_GRANT, {"role": role, "permission": permission})


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
