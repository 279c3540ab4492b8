"""Chosen status and living connection, and what follows when either ends (P99 to P102, B6; DECISIONS 26)."""

import pytest

from domain.errors import InvalidError
from domain.presence import Presence
from store import presence


async def _events(stage, who: str) -> list[str]:
    rows = await stage.sql(
        "SELECT kind FROM events WHERE operator_id = :o AND kind LIKE 'operator.%' ORDER BY id", o=stage.people[who]
    )
    return [r.kind for r in rows]


async def _renew(stage, who: str):
    async with stage.sessions.begin() as session:
        return await presence.renew(session, stage.people[who])


async def test_every_change_of_status_is_told_and_its_intervals_join_without_gaps(stage):
    await stage.person("olha")
    for status in (Presence.ONLINE, Presence.BUSY, Presence.AWAY, Presence.ONLINE, Presence.ONLINE, Presence.OFFLINE):
        await stage.status("olha", status)
    assert await _events(stage, "olha") == [
        "operator.online", "operator.status_changed", "operator.status_changed", "operator.online", "operator.offline",
    ]  # fmt: skip
    rows = await stage.sql(
        "SELECT status, started_at, ended_at FROM presence_intervals WHERE operator_id = :o ORDER BY id",
        o=stage.people["olha"],
    )
    assert [r.status for r in rows] == ["online", "busy", "away", "online", "offline"]
    assert [r.ended_at for r in rows[:-1]] == [r.started_at for r in rows[1:]]
    assert rows[-1].ended_at is None


async def test_going_offline_takes_nothing_away(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.offline("olha")
    assert await stage.holder(dialog) == "olha"
    assert await stage.place(await stage.opened("c2")) == "queued"


async def test_a_heartbeat_keeps_the_lease_alive_and_never_shortens_it(stage):
    await stage.person("olha")
    long = await stage.status("olha", Presence.ONLINE, lease=3600)
    assert (await _renew(stage, "olha")).isoformat() == long["lease_until"]
    short = await stage.status("olha", Presence.ONLINE, lease=1)
    assert (await _renew(stage, "olha")).isoformat() > short["lease_until"]


async def test_a_heartbeat_after_the_lease_ended_must_come_back_properly(stage):
    await stage.person("olha", online=True)
    await stage.lapse("olha")
    assert await _renew(stage, "olha") is None
    await stage.come_back("olha")
    assert await _renew(stage, "olha") is not None


async def test_a_lapse_is_told_at_the_leases_end_and_the_absence_once_after_the_grace(stage):
    await stage.person("olha", online=True)
    await stage.lapse("olha")
    assert await stage.judge("olha", grace=60) is not None
    assert await _events(stage, "olha") == ["operator.online", "operator.connection_lost"]
    assert await stage.judge("olha", grace=0) is None
    assert await stage.judge("olha", grace=0) is None
    assert await _events(stage, "olha") == ["operator.online", "operator.connection_lost", "operator.absent"]
    lost = await stage.row(
        "SELECT e.at, l.lapsed_at FROM events e JOIN presence_leases l USING (operator_id)"
        " WHERE e.operator_id = :o AND e.kind = 'operator.connection_lost'",
        o=stage.people["olha"],
    )
    assert lost.at == lost.lapsed_at
    await stage.come_back("olha")
    assert (await _events(stage, "olha"))[-1] == "operator.connection_restored"


async def test_there_is_nothing_to_wait_for_once_offline(stage):
    await stage.person("olha", online=True)
    await stage.offline("olha")
    assert await stage.judge("olha") is None


async def test_coming_back_busy_brings_no_dialogs(stage):
    await stage.person("olha", online=True)
    await stage.status("olha", Presence.BUSY)
    dialog = await stage.opened("c1")
    await stage.lapse("olha")
    await stage.judge("olha")
    await stage.come_back("olha")
    assert await stage.place(dialog) == "queued"


async def test_being_forced_online_without_a_connection_brings_no_dialogs(stage):
    await stage.person("boss", role="supervisor")
    await stage.person("olha")
    dialog = await stage.opened("c1")
    await stage.status("olha", Presence.ONLINE, lease=None, forced_by="boss")
    assert await stage.place(dialog) == "queued"
    await stage.come_back("olha")
    assert await stage.holder(dialog) == "olha"


async def test_being_forced_offline_is_marked_and_stops_new_dialogs(stage):
    await stage.person("boss", role="supervisor")
    await stage.person("olha", online=True)
    await stage.status("olha", Presence.OFFLINE, lease=None, forced_by="boss")
    assert await stage.place(await stage.opened("c1")) == "queued"
    event = (await stage.sql("SELECT * FROM events WHERE operator_id = :o ORDER BY id DESC", o=stage.people["olha"]))[0]
    assert (event.data["forced"], event.actor_id) == (True, stage.people["boss"])


async def test_a_lease_out_of_range_is_refused(stage):
    await stage.person("olha")
    for lease in (0, 86401):
        with pytest.raises(InvalidError):
            await stage.status("olha", Presence.ONLINE, lease=lease)


async def test_the_presence_workflow_is_woken_while_somebody_is_online(stage):
    await stage.person("olha", online=True)
    await stage.offline("olha")
    assert await stage.reactions(f"presence:{stage.people['olha']}") == ["presence_changed"] * 2
