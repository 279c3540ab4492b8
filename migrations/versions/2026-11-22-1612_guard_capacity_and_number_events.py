"""guard capacity and number events."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The count runs after the operator's row is locked, in a statement of its own, so that it sees what whoever held
# the lock before has committed. Offers whose deadline has passed hold no slot, carried out or not.
GUARD = """
CREATE FUNCTION reservations_within_limits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holder operators%ROWTYPE;
    taken bigint;
    taken_in_channel bigint;
BEGIN
    SELECT * INTO holder FROM operators WHERE user_id = NEW.operator_id FOR NO KEY UPDATE;
    IF NEW.over_limit THEN
        RETURN NEW;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE channel_key = NEW.channel_key) INTO taken, taken_in_channel
    FROM reservations
    WHERE operator_id = NEW.operator_id AND (expires_at IS NULL OR expires_at > clock_timestamp());
    IF taken >= holder.max_dialogs THEN
        RAISE EXCEPTION 'at_limit % of %', taken, holder.max_dialogs USING ERRCODE = 'SB001';
    END IF;
    IF taken_in_channel >= coalesce((holder.channel_limits ->> NEW.channel_key)::bigint, taken_in_channel + 1) THEN
        RAISE EXCEPTION 'at_channel_limit % in %', taken_in_channel, NEW.channel_key USING ERRCODE = 'SB001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reservations_within_limits BEFORE INSERT ON reservations
    FOR EACH ROW EXECUTE FUNCTION reservations_within_limits();
"""

# Identity values are handed out before commit, so rows commit out of id order; numbers are given after it, by one
# caller at a time. Each statement of a volatile function sees what was committed when it began.
NUMBERING = """
CREATE FUNCTION number_events() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(2, 1);
    SELECT coalesce(max(seq), 0) INTO newest FROM events;
    WITH fresh AS (
        SELECT id, newest + row_number() OVER (ORDER BY id) AS number
        FROM (SELECT id FROM events WHERE seq IS NULL ORDER BY id LIMIT 10000) AS unnumbered
    ), numbered AS (
        UPDATE events SET seq = fresh.number FROM fresh WHERE events.id = fresh.id RETURNING events.seq
    )
    SELECT coalesce(max(numbered.seq), newest) INTO newest FROM numbered;
    RETURN newest;
END $$;
CREATE FUNCTION events_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('events', '');
    RETURN NULL;
END $$;
CREATE TRIGGER events_announce AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_announce();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(GUARD)
    op.execute(NUMBERING)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
