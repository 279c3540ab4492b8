"""keep loads as counts."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# One row a person: a reader of fifty loads reads fifty rows, however much each holds. Offers are not in it: they end
# by themselves when their deadline passes, which no trigger hears; there are few of them, and they are counted.
TABLE = """
CREATE TABLE operator_loads (
    operator_id uuid CONSTRAINT pk_operator_loads PRIMARY KEY
        CONSTRAINT fk_operator_loads_operator_id REFERENCES operators (user_id) ON DELETE CASCADE,
    held bigint NOT NULL CONSTRAINT ck_operator_loads_held_not_negative CHECK (held >= 0),
    channels jsonb NOT NULL) WITH (fillfactor = 50);
CREATE INDEX ix_reservations_offers ON reservations (operator_id) WHERE kind = 'offer';
"""

# By statement, not by row: a thousand slots of one person are one change of their row. People in ascending order, as
# operators are locked. Transition tables belong to one kind of statement each, hence three triggers over one function.
FUNCTIONS = """
CREATE FUNCTION operator_loads_change(of_operator uuid, in_channel text, by_n bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF by_n > 0 THEN
        INSERT INTO operator_loads AS l (operator_id, held, channels)
        VALUES (of_operator, by_n, jsonb_build_object(in_channel, by_n))
        ON CONFLICT (operator_id) DO UPDATE SET held = l.held + by_n,
            channels = l.channels || jsonb_build_object(in_channel, coalesce((l.channels ->> in_channel)::bigint, 0) + by_n);
    ELSE
        UPDATE operator_loads SET held = held + by_n,
            channels = CASE WHEN (channels ->> in_channel)::bigint + by_n = 0 THEN channels - in_channel
                ELSE channels || jsonb_build_object(in_channel, (channels ->> in_channel)::bigint + by_n) END
        WHERE operator_id = of_operator;
    END IF;
END $$;
CREATE FUNCTION operator_loads_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR change IN SELECT operator_id, channel_key, count(*) AS n FROM taken WHERE kind = 'held'
                      GROUP BY 1, 2 ORDER BY 1, 2 LOOP
            PERFORM operator_loads_change(change.operator_id, change.channel_key, change.n);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR change IN SELECT operator_id, channel_key, count(*) AS n FROM freed WHERE kind = 'held'
                      GROUP BY 1, 2 ORDER BY 1, 2 LOOP
            PERFORM operator_loads_change(change.operator_id, change.channel_key, -change.n);
        END LOOP;
    ELSE
        FOR change IN SELECT operator_id, channel_key, sum(n)::bigint AS n FROM (
                          SELECT operator_id, channel_key, 1 AS n FROM taken WHERE kind = 'held'
                          UNION ALL SELECT operator_id, channel_key, -1 FROM freed WHERE kind = 'held') AS changes
                      GROUP BY 1, 2 HAVING sum(n) <> 0 ORDER BY 1, 2 LOOP
            PERFORM operator_loads_change(change.operator_id, change.channel_key, change.n);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER operator_loads_grow AFTER INSERT ON reservations
    REFERENCING NEW TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION operator_loads_follow();
CREATE TRIGGER operator_loads_shrink AFTER DELETE ON reservations
    REFERENCING OLD TABLE AS freed FOR EACH STATEMENT EXECUTE FUNCTION operator_loads_follow();
CREATE TRIGGER operator_loads_move AFTER UPDATE ON reservations
    REFERENCING OLD TABLE AS freed NEW TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION operator_loads_follow();
"""

# After the triggers, whose creation keeps writers out until the end of this transaction.
COUNTED = """
INSERT INTO operator_loads (operator_id, held, channels)
SELECT operator_id, sum(n), jsonb_object_agg(channel_key, n)
FROM (SELECT operator_id, channel_key, count(*) AS n FROM reservations WHERE kind = 'held' GROUP BY 1, 2) AS counted
GROUP BY operator_id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statements in (TABLE, FUNCTIONS, COUNTED):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
