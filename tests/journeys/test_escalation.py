"""A broken promise starts the escalation of the built-in library, once, and it does all its steps for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from store import definitions, versions
from store.tables import Team
from store.transactions import Work, transact
from tests.journeys.test_clocks import promised_dialog
from tests.stack import Shop, Stack, eventually
from tests.store.clocks.promises import sla_events

ESCALATION = Path(__file__).parents[2] / "processes" / "vip-escalation.yaml"
KEY = "vip-escalation"


async def escalating(shop: Shop) -> None:
    async def story(work: Work) -> None:
        await definitions.create(work, None, "process", ESCALATION.read_text())
        told = await versions.publish(work, None, "process", KEY, must_refer=False)
        await versions.activate(work, "process", KEY, told["version"])

    async with shop.sessions.begin() as session:
        session.add(Team(key="vip", name="VIP", auto=True))
    await transact(shop.sessions, story)


async def runs_for(stack: Stack, dialog: UUID) -> list[Any]:
    return await stack.rows(
        "SELECT r.id, i.state, r.trigger, r.run_as FROM runs r JOIN run_items i ON i.run_id = r.id"
        " WHERE r.definition_key = :k AND i.dialog_id = :d",
        k=KEY, d=dialog,
    )  # fmt: skip


async def test_a_broken_promise_to_a_vip_is_escalated_exactly_once(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    boss = await shop.person("boss", role="supervisor")
    await escalating(shop)
    vera = await shop.person("vera", "-")
    await stack.write("INSERT INTO team_members (team_key, user_id) VALUES ('vip', :v)", v=vera)
    await shop.online("vera")
    dialog = await promised_dialog(shop, {"metric": "tfr", "alias": "First answer", "target": 3, "warn": [50]})
    await stack.write(
        "UPDATE contacts SET tags = '[\"vip\"]' WHERE id = (SELECT contact_id FROM dialogs WHERE id = :d)", d=dialog
    )

    async def row() -> Any:
        return (await stack.rows("SELECT * FROM dialogs WHERE id = :d", d=dialog))[0]

    await eventually(lambda: runs_for(stack, dialog))
    escalated = await eventually(row, lambda d: d.team_key == "vip" and d.operator_id == vera)
    assert (escalated.kind, escalated.ticket_type, escalated.priority) == ("ticket", "escalation", "critical")
    paged = "SELECT 1 FROM notices WHERE user_id = :v AND dialog_id = :d AND title LIKE 'VIP %: SLA порушено'"
    await eventually(lambda: stack.rows(paged, v=vera, d=dialog), lambda found: len(found) == 1)
    notes = await stack.rows("SELECT text FROM messages WHERE dialog_id = :d AND direction = 'note'", d=dialog)
    assert any(n.text.startswith("SLA порушено на 0 хв.") for n in notes)
    watching = await stack.rows("SELECT user_id FROM participants WHERE dialog_id = :d AND role = 'watcher'", d=dialog)
    assert boss in {w.user_id for w in watching}
    async with await shop.api("vera") as client:
        answer = await client.post(f"/dialogs/{dialog}/messages", json={"mode": "reply", "text": "We are here"})
        assert answer.status_code == 201, answer.text
    found = await eventually(lambda: runs_for(stack, dialog), lambda rows: all(r.state == "succeeded" for r in rows))
    assert len(found) == 1, "converted to a ticket, it was promised a first answer anew; the escalation is not"
    assert (found[0].run_as, found[0].trigger["metric"], found[0].trigger["overdue_minutes"]) == ("system", "tfr", 0)
    breaches = [e for e in await sla_events(shop, dialog) if e.kind == "sla.breached"]
    assert found[0].trigger["due_at"] == breaches[0].data["due_at"]
