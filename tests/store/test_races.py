"""Many connections at once: who wins is decided once, and everybody is told the truth (P86, P109, I2, I3)."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from domain.commands import (
    Accept,
    Assign,
    Cancel,
    Close,
    Connect,
    Decline,
    Reopen,
    SetStatus,
    SetTopic,
    Take,
    Transfer,
    Unassign,
)
from domain.presence import Presence

ENDED = {"accepted", "declined", "cancelled", "rescinded", "expired"}


async def test_fifty_takers_of_one_dialog_leave_one_owner_and_tell_the_others(stage):
    await stage.change_team("support", auto=False)
    for i in range(50):
        await stage.person(f"p{i}")
    dialog = await stage.opened("c1")
    outcomes = await asyncio.gather(*[stage.ask(f"p{i}", dialog, Take()) for i in range(50)])
    assert Counter(o.refusal for o in outcomes) == {None: 1, "already_taken": 49}
    owner = (await stage.dialog(dialog)).operator_id
    assert {o.answer["extra"]["operator_id"] for o in outcomes if o.refusal} == {str(owner)}
    assert (await stage.kinds(dialog)).count("dialog.assigned") == 1


async def test_two_hundred_arriving_at_once_fill_every_slot_and_none_is_lost_or_given_twice(stage):
    for i in range(10):
        await stage.person(f"p{i}", online=True, max_dialogs=5)
    gate = asyncio.Semaphore(20)

    async def arrive(i: int) -> UUID:
        async with gate:
            return await stage.opened(f"c{i}")

    dialogs = await asyncio.gather(*[arrive(i) for i in range(200)])
    assert len(set(dialogs)) == 200
    rows = await stage.sql("SELECT place, operator_id FROM dialogs WHERE channel_key = :c", c=stage.channel)
    assert Counter(r.place for r in rows) == {"owned": 50, "queued": 150}
    assert set(Counter(r.operator_id for r in rows if r.operator_id).values()) == {5}
    given = await stage.sql(
        "SELECT dialog_id, count(*) AS n FROM events WHERE kind = 'dialog.assigned' AND team_key = :t GROUP BY 1",
        t=stage.key("support"),
    )
    assert Counter(r.n for r in given) == {1: 50}


async def test_arrivals_in_two_teams_share_an_operator_without_overflow_or_idle_slots(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    for i in range(4):
        await stage.person(f"p{i}", "support", "sales", max_dialogs=3)
    await stage.online(*[f"p{i}" for i in range(4)])
    arriving = [stage.opened(f"c{i}", **({"topic": "offers"} if i % 2 else {})) for i in range(40)]
    dialogs = await asyncio.gather(*arriving)
    assert Counter([await stage.place(d) for d in dialogs]) == {"owned": 12, "queued": 28}


async def test_closing_many_at_once_refills_every_slot(stage):
    names = [f"p{i}" for i in range(8)]
    for name in names:
        await stage.person(name, online=True, max_dialogs=2)
    held = [await stage.opened(f"h{i}") for i in range(16)]
    for i in range(10):
        await stage.opened(f"w{i}")
    owners = {d: await stage.holder(d) for d in held}
    await asyncio.gather(*[stage.do(owners[d], d, Close()) for d in held[:12]])
    rows = await stage.sql("SELECT place FROM dialogs WHERE channel_key = :c AND status <> 'closed'", c=stage.channel)
    assert Counter(r.place for r in rows) == {"owned": 14}


async def test_a_slot_freed_while_a_dialog_arrives_is_never_missed(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    last = await stage.opened("c-first")
    for i in range(8):
        _, newer = await asyncio.gather(stage.do("olha", last, Close()), stage.opened(f"c{i}"))
        assert await stage.holder(newer) == "olha"
        last = newer


async def test_going_online_while_dialogs_arrive_misses_none(stage):
    for i in range(8):
        await stage.person(f"p{i}", max_dialogs=1)
        dialog, _ = await asyncio.gather(stage.opened(f"c{i}"), stage.online(f"p{i}"))
        assert await stage.holder(dialog) == f"p{i}"


async def test_raising_room_in_one_team_while_a_dialog_arrives_in_another_misses_none(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", "support", "sales", online=True, max_dialogs=1)
    last = await stage.opened("c-first")
    for i in range(8):
        topic = {"topic": "offers"} if i % 2 else {}
        _, newer = await asyncio.gather(stage.do("olha", last, Close()), stage.opened(f"c{i}", **topic))
        assert await stage.holder(newer) == "olha"
        last = newer


async def _offered(stage, i: int, deadline: float | None = None) -> tuple[UUID, UUID]:
    dialog = await stage.opened(f"c{i}")
    await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"]))
    transfer = (await stage.row("SELECT id FROM transfers WHERE dialog_id = :d AND state = 'pending'", d=dialog)).id
    if deadline is not None:
        await stage.set_deadline(transfer, deadline)
    return dialog, transfer


async def _two(stage, fallback: str = "return") -> None:
    await stage.change_team("support", transfer_fallback=fallback)
    await stage.person("olha", online=True, max_dialogs=50)
    await stage.person("taras", "-", online=True, max_dialogs=50)
    await stage.person("boss", role="supervisor")


@pytest.mark.parametrize("fallback", ["return", "pool"])
async def test_accepting_at_the_deadline_the_stored_moment_decides(stage, fallback):
    await _two(stage, fallback)

    async def later(seconds: float, act):
        await asyncio.sleep(seconds)
        return await act

    for i in range(6):
        dialog, transfer = await _offered(stage, i, deadline=0.06)
        accepting = later(0.05 + 0.002 * i, stage.ask("taras", dialog, Accept(), transfer=transfer))
        outcome, _, _ = await asyncio.gather(
            accepting, later(0.055, stage.settle(transfer)), later(0.06, stage.settle(transfer))
        )
        await asyncio.sleep(0.02)
        row = await stage.settle(transfer)
        if outcome.refusal is None:
            assert row.state == "accepted"
            assert row.ended_at < row.deadline
            assert await stage.holder(dialog) == "taras"
        else:
            assert (outcome.refusal, row.state, row.ended_at) == ("offer_expired", "expired", row.deadline)
            assert await stage.holder(dialog) != "taras"


@pytest.mark.parametrize("rival", ["close", "decline", "offline", "cancel", "assign", "unassign", "team", "accept"])
async def test_an_offer_that_several_end_at_once_ends_once(stage, rival):
    await _two(stage)
    await stage.team("other", auto=False)
    won = Counter()
    for i in range(4):
        await stage.online("taras")
        dialog, transfer = await _offered(stage, i)
        acts = {
            "close": lambda d, t: stage.ask("olha", d, Close()),
            "decline": lambda d, t: stage.ask("taras", d, Decline(), transfer=t),
            "offline": lambda d, t: stage.status("taras", Presence.OFFLINE),
            "cancel": lambda d, t: stage.ask("olha", d, Cancel(), transfer=t),
            "assign": lambda d, t: stage.ask("boss", d, Assign(stage.people["taras"])),
            "unassign": lambda d, t: stage.ask("olha", d, Unassign()),
            "team": lambda d, t: stage.ask("olha", d, Transfer(to_team=stage.key("other"))),
            "accept": lambda d, t: stage.ask("taras", d, Accept(), transfer=t),
        }
        pair = [stage.ask("taras", dialog, Accept(), transfer=transfer), acts[rival](dialog, transfer)]
        if i % 2:
            pair.reverse()
        await asyncio.gather(*pair)
        state = (await stage.transfer(transfer)).state
        assert state in ENDED
        won[state] += 1
        assert (await stage.kinds(dialog)).count(f"transfer.{state}") == 1
    assert not await stage.broken_promises()


async def test_two_closers_close_once(stage):
    await stage.person("olha", online=True)
    await stage.person("boss", role="supervisor")
    for i in range(8):
        dialog = await stage.opened(f"c{i}")
        outcomes = await asyncio.gather(stage.ask("olha", dialog, Close()), stage.ask("boss", dialog, Close()))
        assert Counter(o.refusal for o in outcomes) == {None: 1, "dialog_closed": 1}
        assert (await stage.kinds(dialog)).count("dialog.closed") == 1


async def test_reopening_by_hand_while_the_client_writes_leaves_one_open_dialog(stage):
    await stage.person("olha", online=True, max_dialogs=50)
    await stage.sql("UPDATE channels SET reopen_window = 0 WHERE key = :c", c=stage.channel)
    told = Counter()
    for i in range(6):
        dialog = await stage.opened(f"c{i}")
        await stage.do("olha", dialog, Close())
        outcome, receipt = await asyncio.gather(stage.ask("olha", dialog, Reopen()), stage.write(f"c{i}"))
        assert receipt.result == "accepted"
        assert outcome.refusal in (None, "another_dialog_open")
        told[outcome.refusal] += 1
        assert (receipt.dialog_id == dialog) == (outcome.refusal is None)


async def test_a_client_writing_while_the_dialog_closes_is_heard_in_an_open_dialog(stage):
    await stage.person("olha", online=True, max_dialogs=50)
    for i in range(6):
        dialog = await stage.opened(f"c{i}")
        _, receipt = await asyncio.gather(stage.ask("olha", dialog, Close()), stage.write(f"c{i}", "wait"))
        assert receipt.dialog_id == dialog
        row = await stage.dialog(dialog)
        heard = await stage.row("SELECT created_at FROM messages WHERE id = :m", m=receipt.message_id)
        assert row.status == "open" or heard.created_at <= row.closed_at


async def test_the_last_slot_wanted_from_two_teams_goes_once(stage):
    await stage.team("sales")
    await stage.person("olha", "support", "sales", max_dialogs=1)
    await stage.topic("offers", "sales")
    for i in range(6):
        one, two = await stage.opened(f"a{i}"), await stage.opened(f"b{i}", topic="offers")
        outcomes = await asyncio.gather(stage.ask("olha", one, Take()), stage.ask("olha", two, Take()))
        assert Counter(o.refusal for o in outcomes) == {None: 1, "at_capacity": 1}
        await stage.person(f"boss{i}", "-", role="supervisor")
        for dialog in (one, two):
            await stage.do(f"boss{i}", dialog, Close())


async def test_offers_crossing_between_two_people_respect_both_limits(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    one = await stage.opened("c1")
    await stage.person("taras", online=True, max_dialogs=2)
    two = await stage.opened("c2")
    outcomes = await asyncio.gather(
        stage.ask("olha", one, Transfer(to_operator=stage.people["taras"])),
        stage.ask("taras", two, Transfer(to_operator=stage.people["olha"])),
    )
    assert [o.refusal for o in outcomes] == [None, "at_capacity"]


async def test_topic_changes_and_connections_crossing_between_teams_lose_nothing(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.topic("help", "support")
    await stage.person("bot", "-", role="integrator")
    await stage.person("boss", "-", role="supervisor")
    dialogs = [await stage.opened(f"c{i}") for i in range(6)]
    acts = []
    for i, dialog in enumerate(dialogs):
        acts.append(stage.ask("boss", dialog, SetTopic(stage.key("offers" if i % 2 else "help"))))
        acts.append(stage.ask("bot", dialog, Connect(team=stage.key("support" if i % 2 else "sales"))))
    await stage.person("olha", "support", max_dialogs=3)
    await stage.person("iryna", "sales", max_dialogs=3)
    await asyncio.gather(*acts, stage.online("olha"), stage.online("iryna"))


async def test_a_client_writing_and_a_command_that_moves_the_dialog_twice_wait_for_each_other_in_one_order(stage):
    """A row updated twice in one transaction has its foreign keys checked again: the client's identity among them."""
    await stage.person("olha", online=True, max_dialogs=1)
    ticket = await stage.ticket("c1")
    await stage.sql("SELECT pg_stat_force_next_flush()")
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = (await stage.row(counted)).deadlocks
    for _ in range(10):
        await stage.do("olha", ticket, SetStatus("pending"))
        blocker = await stage.opened("c2")
        acts = [stage.write("c1"), stage.write("c1"), stage.ask("olha", ticket, Reopen()), stage.write("c1")]
        await asyncio.gather(*acts)
        await stage.do("olha", blocker, Close())
        assert await stage.holder(ticket) == "olha"
    await stage.sql("SELECT pg_stat_force_next_flush()")
    assert (await stage.row(counted)).deadlocks == before


async def test_somebody_joining_a_team_while_a_slot_of_theirs_becomes_free_misses_nothing(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", "support", online=True, max_dialogs=1)
    await stage.person("boss", "-", role="supervisor")
    for i in range(6):
        held, waiting = await stage.opened(f"a{i}"), await stage.opened(f"b{i}", topic="offers")
        await stage.members("support")
        await asyncio.gather(stage.do("olha", held, Unassign()), stage.members("sales", "olha"))
        assert await stage.holder(waiting) == "olha"
        await stage.do("olha", waiting, Close())
        await stage.members("sales")
        await stage.offline("olha")
        other = await stage.opened(f"c{i}", topic="offers")
        await asyncio.gather(stage.online("olha"), stage.members("sales", "olha"))
        assert await stage.holder(other) == "olha"
        await stage.do("olha", other, Close())
        await stage.members("sales")
        await stage.do("boss", held, Close())
        await stage.members("support", "olha")
