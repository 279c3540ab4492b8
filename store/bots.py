"""Dialogs in which a run speaks with the client (place bot), and what becomes of them when it has ended."""

from uuid import UUID

from sqlalchemy import select, text

from domain import dialogs as rules
from domain.events import Fact
from domain.workflow_ids import of_team
from store.tables import Dialog
from store.transactions import Work

#: whether the run that speaks in the dialog `d` still does
_SPEAKS = """
EXISTS (SELECT 1 FROM runs r JOIN run_items i ON i.run_id = r.id
        WHERE r.id = d.bot_run AND i.state IN ('pending', 'running', 'waiting')
          AND r.status IN ('queued', 'awaiting_approval', 'running', 'paused')
          AND (i.dialog_id = d.id OR i.contact_id = d.contact_id))
"""
_IS_LEFT = text(f"SELECT NOT {_SPEAKS} FROM dialogs d WHERE d.id = :dialog AND d.place = 'bot'")
_LEFT = text(f"""
SELECT d.id, t.auto FROM dialogs d JOIN teams t ON t.key = d.team_key
WHERE d.bot_run = :run AND d.place = 'bot' AND d.awaiting_reply_since IS NOT NULL AND NOT {_SPEAKS}
ORDER BY d.id FOR NO KEY UPDATE OF d FOR SHARE OF t
""")


async def is_left(work: Work, dialog_id: UUID) -> bool:
    """Whether the dialog is still said to be a bot's although its run speaks no more."""
    return bool(await work.session.scalar(_IS_LEFT, {"dialog": dialog_id}))


async def leave_bot(work: Work, run_id: UUID) -> int:
    """Give the dialogs of this run whose item has ended, and whose client waits for an answer, to their teams' pools.

    Call it once the end of the item is written. Takes no team's lock: the relay drains the teams right after. A client
    who writes later finds the run ended, and the message itself does this. Answers how many dialogs went.
    """
    await work.session.flush()
    left = {r.id: r.auto for r in await work.session.execute(_LEFT, {"run": run_id})}
    if not left:
        return 0
    if work.moment is None:
        await work.read_clock()
    rows = await work.session.scalars(
        select(Dialog).where(Dialog.id.in_(left)).order_by(Dialog.id).execution_options(populate_existing=True)
    )
    teams: set[str] = set()
    for dialog in rows:
        dialog.place = rules.place_when_waiting(auto=left[dialog.id])
        dialog.waiting_since = dialog.waiting_since or work.now
        work.record(
            Fact.DIALOG_QUEUED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=dialog.team_key,
            after={"place": dialog.place}, cause="bot_ended", weight=dialog.weight,
        )  # fmt: skip
        teams.add(dialog.team_key)
    await work.session.flush()
    for team in sorted(teams):
        work.react(of_team(team), "drain_due")
    await work.session.execute(text("SELECT pg_notify('drains', '')"))
    return len(left)
