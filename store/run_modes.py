"""`mode`: what a second launch of a definition does on a target that an earlier one still works on."""

from sqlalchemy import text

from domain.errors import QueueFullError
from domain.runs import MOST_QUEUED
from store.run_wakes import wake, workflow_of, workflow_of_item
from store.tables import Run
from store.transactions import Work

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(8, hashtext(:key))")
#: open items of other runs of the same definition on targets of this one
_OTHERS = """
SELECT o.run_id, o.seq, o.state, o.target_key, r.number, m.seq AS mine
FROM run_items m JOIN run_items o ON o.target_key = m.target_key AND o.state IN ('pending','running','waiting')
JOIN runs r ON r.id = o.run_id
WHERE m.run_id = :run AND m.state = 'pending' AND o.run_id <> :run AND r.definition_key = :key AND NOT r.is_dry
  AND r.kind <> 'undo'
"""
_SKIP = text(f"""
UPDATE run_items i SET state = 'skipped', reason = 'already_running:' || found.number, finished_at = clock_timestamp()
FROM (SELECT mine, min(number) AS number FROM ({_OTHERS}) AS others GROUP BY mine) AS found
WHERE i.run_id = :run AND i.seq = found.mine
""")
_SKIP_FULL = text(f"""
UPDATE run_items i SET state = 'skipped', reason = 'queue_full', finished_at = clock_timestamp()
FROM (SELECT mine FROM ({_OTHERS}) AS others WHERE state = 'pending' GROUP BY mine HAVING count(*) >= :most) AS found
WHERE i.run_id = :run AND i.seq = found.mine RETURNING i.seq
""")
_CANCEL = text("""
UPDATE run_items SET state = 'cancelled', reason = :reason, finished_at = clock_timestamp()
WHERE run_id = :run AND seq = :seq AND state = 'pending'
""")
_REPLACE = text("""
UPDATE run_items SET reason = :reason WHERE run_id = :run AND seq = :seq AND state IN ('running','waiting')
""")


async def one_launch_at_a_time(work: Work, run: Run) -> None:
    """Two launches of one definition see each other's items, unless they may run side by side anyway."""
    if not is_parallel(run):
        await work.session.execute(_ONE_AT_A_TIME, {"key": run.definition_key})


def is_parallel(run: Run) -> bool:
    """Whether it goes on beside others of its definition on the same targets."""
    return run.is_dry or run.kind == "undo" or run.canonical.get("mode", "single") == "parallel"


async def settle(work: Work, run: Run) -> None:
    """Skip, queue or replace, as the definition's mode says. A macro that would have to queue is skipped.

    Raises QueueFullError when all that is wanted waits behind too many others.
    """
    if is_parallel(run):
        return
    mode = run.canonical.get("mode", "single")
    given = {"run": run.id, "key": run.definition_key}
    if mode == "restart":
        await _replace_older(work, run)
    elif mode == "queued" and run.kind != "macro":
        full = list(await work.session.scalars(_SKIP_FULL, {**given, "most": MOST_QUEUED}))
        if full == [1] and run.target != "none" and run.trigger_kind == "manual":
            raise QueueFullError(f"{MOST_QUEUED} launches wait for this already.")
    else:
        await work.session.execute(_SKIP, given)


async def _replace_older(work: Work, run: Run) -> None:
    """The older items end at their next step, with a link to the run that replaces them."""
    older = (await work.session.execute(text(_OTHERS), {"run": run.id, "key": run.definition_key})).all()
    for item in sorted(older, key=lambda o: (str(o.run_id), o.seq)):
        given = {"run": item.run_id, "seq": item.seq, "reason": f"restarted_by:{run.number}"}
        await work.session.execute(_CANCEL, given)
        await work.session.execute(_REPLACE, given)
        other = await work.session.get_one(Run, item.run_id)
        await wake(work, workflow_of(other), "item_ended")
        if item.state != "pending":
            await wake(work, workflow_of_item(other, item.seq), "run_cancelled")
