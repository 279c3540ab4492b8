"""What a run is about: the dialogs of a folder, a topic, a team, a group of operators (P143); contacts; operators."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from domain.errors import InvalidError
from domain.launches import Selected
from store.ids import new_id
from tests.launching import publish
from tests.store.launching import Launching
from tests.store.walking import walk

REDISTRIBUTE = Path(__file__).parents[2] / "processes/redistribute-dialogs.yaml"
HOLDERS = ("olha", "taras", "iryna")


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="supervisor")
    return Launching(stage)


@pytest.fixture
async def busy(desk):
    """Each of three operators holds two dialogs, one of them about cards, and goes away; mykola is here."""
    stage = desk.stage
    await stage.topic("cards", "support")
    held: dict[str, list[UUID]] = {}
    for who in HOLDERS:
        await stage.person(who, online=True)
        held[who] = [
            await stage.opened(f"{who}-1", topic="cards"),
            await stage.opened(f"{who}-2"),
        ]
        assert [await stage.holder(d) for d in held[who]] == [who] * 2
        await stage.offline(who)
    await stage.person("mykola", online=True, max_dialogs=20)
    return held


async def redistribute(desk: Launching, **more) -> UUID:
    name = "name: redistribute-dialogs"
    key = await publish(desk.stage.sessions, REDISTRIBUTE.read_text().replace(name, desk.stage.key(name)))
    told = await desk.launch(key, "boss", **more)
    assert (await desk.run(told["run_id"])).topology == "batch"
    assert await walk(desk, told["run_id"]) == "succeeded"
    return told["run_id"]


async def moved(desk: Launching, held: dict[str, list[UUID]]) -> set[tuple[str, int]]:
    """(who held it, which of theirs) of the dialogs that mykola has now."""
    return {
        (who, n) for who, dialogs in held.items() for n, d in enumerate(dialogs, 1)
        if await desk.stage.holder(d) == "mykola"
    }  # fmt: skip


EVERY = {(who, n) for who in HOLDERS for n in (1, 2)}


async def test_the_dialogs_of_a_group_of_operators_go_to_those_who_are_here(desk, busy):
    group = [str(desk.stage.id_of(who)) for who in ("olha", "taras")]
    everybody = Selected(team=desk.stage.key("support"))
    run = await redistribute(desk, selected=everybody, inputs={"operators": group})
    assert await moved(desk, busy) == {(who, n) for who in ("olha", "taras") for n in (1, 2)}
    states = [(i.state, i.reason) for i in await desk.items(run)]
    assert sorted(states, key=str) == [("skipped", "guard")] * 2 + [("succeeded", None)] * 4
    shown = {o["value"] for i in await desk.items(run) for o in i.outputs or ()}
    assert shown == {"Mykola"}
    notes = await desk.stage.sql(
        "SELECT text FROM messages WHERE dialog_id = :d AND direction = 'note'", d=busy["olha"][0]
    )
    assert ["Olha" in n.text and "Mykola" in n.text for n in notes] == [True]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("topic", {(who, 1) for who in HOLDERS}), ("folder", {(who, 1) for who in HOLDERS}), ("team", EVERY),
        ("operator", {("olha", 1), ("olha", 2)}), ("ids", {("olha", 1), ("taras", 2)}),
    ],
)  # fmt: skip
async def test_what_is_chosen_is_redistributed_and_nothing_else(desk, busy, chosen, expected):
    stage = desk.stage
    if chosen == "folder":
        await stage.sql(
            "INSERT INTO folders (id, key, kind, name, criteria) VALUES (:i, :k, 'folder', 'Cards', CAST(:c AS jsonb))",
            i=new_id(), k=stage.key("folder"), c=f'{{"topic": ["{stage.key("cards")}"]}}',
        )  # fmt: skip
    selected = {
        "topic": Selected(topic=stage.key("cards")), "folder": Selected(folder=stage.key("folder")),
        "team": Selected(team=stage.key("support")), "operator": Selected(operator=stage.id_of("olha")),
        "ids": Selected(ids=(busy["olha"][0], busy["taras"][1])),
    }[chosen]  # fmt: skip
    run = await redistribute(desk, selected=selected)
    assert await moved(desk, busy) == expected
    assert len(await desk.items(run)) == len(expected)


async def test_nobody_else_here_means_the_queue(desk, busy):
    await desk.stage.offline("mykola")
    await redistribute(desk, selected=Selected(topic=desk.stage.key("cards")))
    assert {await desk.stage.place(dialogs[0]) for dialogs in busy.values()} == {"queued"}
    assert {await desk.stage.place(dialogs[1]) for dialogs in busy.values()} == {"owned"}


async def test_of_two_dialogs_of_one_contact_one_is_worked_on(desk):
    stage = desk.stage
    await stage.add_channel("second", "support")
    first, other = await stage.opened("a"), await stage.opened("b")
    second = await stage.opened("a", channel="second")
    contact = (await stage.dialog(first)).contact_id
    await stage.sql("UPDATE identities SET contact_id = :c WHERE id = (SELECT identity_id FROM dialogs WHERE id = :d)",
                    c=contact, d=second)  # fmt: skip
    await stage.sql("UPDATE dialogs SET contact_id = :c WHERE id = :d", c=contact, d=second)
    key = await desk.publish("once", mass={"unique_per": "contact"})
    run = (await desk.launch(key, "boss", second, first, other))["run_id"]
    assert await walk(desk, run) == "succeeded"
    assert [(i.dialog_id, i.state, i.reason) for i in await desk.items(run)] == [
        (second, "succeeded", None), (first, "skipped", "duplicate_contact"), (other, "succeeded", None),
    ]  # fmt: skip
    notes = await stage.sql("SELECT dialog_id FROM messages WHERE direction = 'note' AND run_id = :r", r=run)
    assert {n.dialog_id for n in notes} == {second, other}


async def test_a_process_on_contacts(desk):
    stage = desk.stage
    dialogs = [await stage.opened(f"c{n}") for n in range(3)]
    contacts = [(await stage.dialog(d)).contact_id for d in dialogs]
    await stage.tag("gold")
    await stage.sql("UPDATE contacts SET consent = true WHERE id = ANY(:c)", c=contacts[:2])
    key = await desk.publish(
        "contacts", {"id": "mark", "call": "add_tag", "with": {"tag": stage.key("gold"), "scope": "contact"}},
        target="contact", guard="contact.consent", message="{{ contact.id }}",
    )  # fmt: skip
    run = (await desk.launch(key, "boss", *contacts))["run_id"]
    assert await walk(desk, run) == "succeeded"
    items = await desk.items(run)
    assert [(i.contact_id, i.dialog_id, i.state) for i in items] == [
        (contacts[0], None, "succeeded"), (contacts[1], None, "succeeded"), (contacts[2], None, "skipped"),
    ]  # fmt: skip
    assert [i.message for i in items[:2]] == [str(c) for c in contacts[:2]]
    rows = await stage.sql("SELECT id FROM contacts WHERE tags ? :t", t=stage.key("gold"))
    assert {r.id for r in rows} == set(contacts[:2])
    with pytest.raises(InvalidError):
        await desk.launch(key, "boss", selected=Selected(topic="any"))


async def test_a_process_on_operators(desk):
    stage = desk.stage
    for who in ("olha", "taras"):
        await stage.person(who, online=True)
    await stage.person("iryna")
    key = await desk.publish(
        "breaks",
        {"id": "away", "call": "set_operator_status", "with": {"operator": "{{ operator.id }}", "status": "away"}},
        target="operator", guard="operator.status == 'online'", message="{{ operator.name }}",
    )  # fmt: skip
    run = (await desk.launch(key, "boss", selected=Selected(team=stage.key("support"))))["run_id"]
    assert await walk(desk, run) == "succeeded"
    items = {i.operator_id: (i.state, i.message) for i in await desk.items(run)}
    assert {who: items[stage.id_of(who)] for who in ("olha", "taras", "iryna", "boss")} == {
        "olha": ("succeeded", "Olha"), "taras": ("succeeded", "Taras"),
        "iryna": ("skipped", None), "boss": ("skipped", None),
    }  # fmt: skip
    rows = await stage.sql("SELECT status FROM operators WHERE user_id = ANY(:o)",
                           o=[stage.id_of("olha"), stage.id_of("taras")])  # fmt: skip
    assert {r.status for r in rows} == {"away"}
