"""A dialog in a run's hands stays there while the run lives, and goes to people when it has ended."""

from __future__ import annotations

from uuid import UUID

import pytest

from store.bots import leave_bot
from store.ids import new_id
from store.transactions import transact
from tests.store.actors import Run
from tests.store.stage import Stage


async def bot_dialog(stage: Stage, *, state: str = "running") -> tuple[UUID, UUID]:
    """A dialog in a run's hands, and that run with one item of this dialog."""
    dialog = await stage.opened("c")
    run = new_id()
    await stage.sql(
        "INSERT INTO runs (id, kind, definition_key, title, canonical, sha256, target, topology, status, effects_run)"
        " VALUES (:r, 'process', 'bot', 'Bot', '{}', '', 'dialog', 'child', 'running', :r)",
        r=run,
    )
    await stage.sql(
        "INSERT INTO run_items (run_id, seq, origin_seq, target_key, dialog_id, state, finished_at) VALUES"
        " (:r, 1, 1, 'x', :d, :s, CASE WHEN :s IN ('succeeded') THEN now() END)",
        r=run, d=dialog, s=state,
    )  # fmt: skip
    await stage.sql(
        "UPDATE dialogs SET place = 'bot', bot_run = :r, awaiting_reply_since = NULL, waiting_since = NULL"
        " WHERE id = :d",
        r=run, d=dialog,
    )  # fmt: skip
    await stage.sql("DELETE FROM events WHERE dialog_id = :d AND kind = 'dialog.queued'", d=dialog)
    return dialog, run


async def ended(stage: Stage, run: UUID) -> int:
    await stage.sql("UPDATE run_items SET state = 'succeeded', finished_at = now() WHERE run_id = :r", r=run)
    return (await transact(stage.sessions, lambda work: leave_bot(work, run)))[0]


async def test_messages_stay_with_a_living_run(stage: Stage):
    dialog, _ = await bot_dialog(stage)
    await stage.person("olha", online=True)
    await stage.write("c", "hello bot")
    assert await stage.place(dialog) == "bot"


async def test_an_unanswered_client_goes_to_people_when_the_run_ends(stage: Stage):
    dialog, run = await bot_dialog(stage)
    await stage.write("c", "hello bot")
    assert await ended(stage, run) == 1
    assert await stage.place(dialog) == "queued"
    await stage.person("olha", online=True)
    assert await stage.holder(dialog) == "olha"


async def test_the_relay_gives_it_away_when_somebody_is_there(stage: Stage):
    dialog, run = await bot_dialog(stage)
    await stage.person("olha", online=True)
    await stage.write("c", "hello bot")
    await ended(stage, run)
    await stage.carry_out_drains()
    assert await stage.holder(dialog) == "olha"


async def test_an_answered_client_stays_until_the_next_message(stage: Stage):
    dialog, run = await bot_dialog(stage)
    await stage.person("olha", online=True)
    assert await ended(stage, run) == 0
    assert await stage.place(dialog) == "bot"
    await stage.write("c", "and now?")
    assert await stage.holder(dialog) == "olha"


@pytest.mark.parametrize("action", ["distribute", "assign", "unassign"])
async def test_people_may_be_given_it_before(stage: Stage, action: str):
    dialog, _ = await bot_dialog(stage)
    olha = await stage.person("olha", online=True)
    given = {"distribute": {"to": "online"}, "assign": {"operator": str(olha)}, "unassign": {}}[action]
    await Run(stage).act(dialog, action, **given)
    assert await stage.holder(dialog) == "olha"
    assert (await stage.dialog(dialog)).bot_run is None


async def test_a_dialog_that_a_run_closes_is_nobodys(stage: Stage):
    dialog, _ = await bot_dialog(stage)
    await Run(stage).act(dialog, "close")
    row = await stage.dialog(dialog)
    assert (row.place, row.bot_run) == (None, None)
