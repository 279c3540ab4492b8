"""What a changed team means for its dialogs (DECISIONS 19)."""

import asyncio

import pytest
from sqlalchemy import text

from domain.commands import Close
from domain.errors import InUseError, InvalidError
from domain.presence import Presence
from store import settings, teams
from store.tables import Channel, Setting
from tests.store.centres import Centre


@pytest.fixture
async def centre(sessions):
    return await Centre(sessions).build()


async def test_automatic_off_and_on_moves_the_waiting_between_the_pools(centre):
    waiting = [await centre.message() for _ in range(3)]
    assert await centre.places(*waiting) == ["queued"] * 3
    await centre.change_team(auto=False)
    assert await centre.places(*waiting) == ["unassigned"] * 3
    operator = await centre.person(limit=2)
    assert await centre.held_by(operator) == set()
    await centre.change_team(auto=True)
    assert await centre.held_by(operator) == set(waiting[:2])
    assert await centre.places(waiting[2]) == ["queued"]
    told = await centre.events(kind="dialog.queued", dialog_id=waiting[2])
    assert [e.data["cause"] for e in told] == ["arrived", "auto_off", "auto_on"]


async def test_a_new_member_with_room_gets_what_waits(centre):
    waiting = [await centre.message() for _ in range(3)]
    other = await Centre(centre.sessions).build()
    operator = await other.person(limit=2)
    await centre.join(operator)
    assert await centre.held_by(operator) == set(waiting[:2])


async def test_a_member_who_left_keeps_what_they_hold(centre):
    operator = await centre.person()
    held = await centre.message()
    await centre.change_team(members=[])
    assert await centre.held_by(operator) == {held}
    later = await centre.message()
    assert await centre.places(later) == ["queued"]


async def test_the_method_counts_from_the_next_decision(centre):
    await centre.person()
    await centre.change_team(distribution="round_robin")
    dialog = await centre.message()
    async with centre.sessions() as session:
        methods = await session.scalars(text("SELECT method FROM decisions WHERE dialog_id = :d"), {"d": dialog})
        assert list(methods) == ["round_robin"]


async def test_a_team_in_use_is_not_deactivated_without_saying_who_takes_over(centre):
    await centre.message()
    with pytest.raises(InUseError) as refused:
        await centre.change_team(active=False)
    assert refused.value.extra["where"] == {"waiting": 1, "channels": [centre.channel]}
    with pytest.raises(InvalidError):
        await centre.change_team(active=False, move_to=centre.team)
    with pytest.raises(InvalidError):
        await centre.change_team(active=False, move_to="nowhere")


async def test_another_team_takes_over(centre):
    holder = await centre.person(limit=1)
    held, waiting = await centre.message(), await centre.message()
    heir = await Centre(centre.sessions).build()
    free = await heir.person()
    await centre.do(lambda work: settings.choose(work, "default_team", centre.team, by=None))
    await centre.change_team(active=False, move_to=heir.team)
    assert await centre.held_by(holder) == {held}
    assert await centre.held_by(free) == {waiting}
    assert {(await centre.dialog(d)).team_key for d in (held, waiting)} == {heir.team}
    async with centre.sessions() as session:
        assert (await session.get_one(Channel, centre.channel)).team_key == heir.team
        assert (await session.get_one(Setting, "default_team")).value == heir.team
    *_, changed = await centre.events(kind="settings.changed", team_key=centre.team)
    assert changed.data["after"] == {"active": False, "move_to": heir.team}


async def test_a_team_with_a_past_is_not_deleted(centre):
    await centre.message()
    with pytest.raises(InUseError):
        await centre.do(lambda work: teams.remove(work, centre.team))
    unused = Centre(centre.sessions)
    await unused.do(lambda work: teams.add(work, {"key": unused.team, "name": "Unused"}))
    await unused.do(lambda work: teams.remove(work, unused.team))


async def test_switching_while_messages_come_leaves_nobody_in_the_wrong_pool(centre):
    operator = await centre.person(limit=7)

    async def switch():
        for auto in (False, True, False, True):
            await centre.change_team(auto=auto)
            await asyncio.sleep(0.01)

    *dialogs, _ = await asyncio.gather(*(centre.message() for _ in range(30)), switch())
    assert len(await centre.held_by(operator)) == 7
    assert sorted(await centre.places(*dialogs)) == ["owned"] * 7 + ["queued"] * 23


async def test_who_joins_while_room_is_made_elsewhere_is_not_forgotten(centre):
    """A slot freed in one team and a membership gained in another, at once: what waits must go."""
    for _ in range(8):
        other = await Centre(centre.sessions).build()
        operator = await other.person(limit=1)
        held = await other.message()
        waiting = await centre.message()
        await asyncio.gather(centre.join(operator), other.command(operator, held, Close()))
        assert await centre.held_by(operator) == {waiting}
        await centre.status(operator, Presence.OFFLINE)
