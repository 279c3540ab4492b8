"""Many runs and people at the same dialogs at once: every promise is kept, and each action is done or refused."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Placement
from domain.commands import Assign, Close, Take
from domain.errors import UnavailableError
from domain.walks.ports import StepError
from store.deeds.doing import DEEDS
from store.deeds.undoing import UNDOS
from tests.store.actors import Run
from tests.store.stage import Stage


def test_every_local_action_is_carried_out_and_what_can_be_undone_is():
    local = {name for name, action in catalogue().items() if action.placement is Placement.LOCAL}
    assert set(DEEDS) == local
    assert set(UNDOS) == {name for name, action in catalogue().items() if action.can_undo}


async def test_runs_and_people_at_the_same_dialogs(stage: Stage):
    dice = random.Random(7)
    await stage.team("sales")
    await stage.person("boss", role="supervisor")
    for name in ("olha", "taras"):
        await stage.person(name, online=True, max_dialogs=3)
    for name in ("iryna", "petro"):
        await stage.person(name, "sales", "support", online=True, max_dialogs=3)
    dialogs = [await stage.opened(f"c{n}") for n in range(8)]
    ids = {name: str(stage.people[name]) for name in ("olha", "taras", "iryna", "petro")}

    def action() -> tuple[str, dict]:
        one = dice.choice(list(ids.values()))
        return dice.choice(
            [
                ("distribute", {"to": "online", "exclude": [one]}),
                ("distribute", {"to": "team", "team": stage.key("sales")}),
                ("assign", {"operator": one}),
                ("unassign", {}),
                ("transfer", {"operator": one}),
                ("transfer_to_team", {"team": stage.key("sales")}),
                ("close", {}),
                ("reopen", {}),
                ("add_note", {"text": "x"}),
                ("set_priority", {"priority": "high"}),
            ]
        )

    async def run() -> int:
        me, done = Run(stage), 0
        for _ in range(12):
            try:
                await me.acts(dice.choice(dialogs), action(), action())
                done += 1
            except (StepError, UnavailableError):
                pass
        for kept in list(me.kept[-3:]):
            me.kept = [kept]
            with contextlib.suppress(UnavailableError):
                await me.take_back(dice.choice(dialogs))
        return done

    async def person(name: str) -> int:
        for _ in range(12):
            await stage.ask(name, dice.choice(dialogs), dice.choice([Take(), Close()]))
            await stage.ask("boss", dice.choice(dialogs), Assign(stage.people[name]))
        return 1

    done = await asyncio.gather(*(run() for _ in range(4)), *(person(n) for n in ("olha", "iryna")))
    assert sum(done) > 10


async def test_an_offer_is_known_to_what_follows_in_its_transaction(stage: Stage):
    await stage.person("olha", online=True)
    closed, offered = [await stage.opened(address) for address in ("c1", "c2")]
    taras = str(await stage.person("taras", online=True))
    await Run(stage).acts(closed, ("transfer", {"operator": taras}), ("close", {}))
    states = "SELECT state, reason FROM transfers WHERE dialog_id = :d"
    assert [tuple(row) for row in await stage.sql(states, d=closed)] == [("rescinded", "closed")]
    assert await stage.sql("SELECT id FROM reservations WHERE dialog_id = :d", d=closed) == []
    with pytest.raises(StepError) as refused:
        await Run(stage).acts(offered, ("transfer", {"operator": taras}), ("transfer", {"operator": taras}))
    assert (refused.value.type, refused.value.details["code"]) == ("conflict", "offer_pending")
