"""Whatever people, clients, clocks and settings do in whatever order: I1, I2, I3 hold after every step, no wake-up is
lost, and every change has its event.

More of it: `pytest tests/store/test_invariants.py --hypothesis-profile=long` (ten times the examples, longer ones).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from store.engines import engine_for, sessions_of
from tests.store.crowds import ACTS, Crowd

#: lowering a limit takes nothing away: what counts is that nobody gains beyond it
LIMITS = ("I2 within limits", "I2 within channel limits")
#: changed by hand, without an event
SILENT = {"ticket"}
ENDED = ("accepted", "declined", "cancelled", "rescinded", "expired")

_DIALOGS = "SELECT id, kind, status, place, operator_id, team_key, topic_key, priority, tags FROM dialogs"
_OVERFULL = """
SELECT r.id, r.operator_id FROM reservations r JOIN operators o ON o.user_id = r.operator_id
WHERE r.id > :last AND NOT r.over_limit AND (
    (SELECT count(*) FROM reservations x WHERE x.operator_id = r.operator_id AND x.id <= r.id
     AND (x.expires_at IS NULL OR x.expires_at > clock_timestamp())) > o.max_dialogs
    OR (SELECT count(*) FROM reservations x WHERE x.operator_id = r.operator_id AND x.channel_key = r.channel_key
        AND x.id <= r.id AND (x.expires_at IS NULL OR x.expires_at > clock_timestamp()))
       > (o.channel_limits ->> r.channel_key)::bigint)
"""
_LATE = """
SELECT (SELECT count(*) FROM transfers WHERE state = 'pending' AND deadline <= clock_timestamp())
     + (SELECT count(*) FROM presence_leases l JOIN operators o ON o.user_id = l.operator_id
        WHERE l.lapsed_at IS NULL AND l.lease_until <= clock_timestamp() AND o.status = 'online') AS n
"""


class Centre(RuleBasedStateMachine):
    """One contact centre on a database of its own; each example begins with an empty one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sessions: Any) -> None:
        super().__init__()
        self.loop = loop
        self.crowd = Crowd(sessions)
        self.stage = self.crowd.stage
        self.ended: dict[UUID, tuple[Any, ...]] = {}
        self.run(self._begin())

    def run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    async def _begin(self) -> None:
        await self.stage.sql("TRUNCATE users, teams, channels, contacts, topics, tags, reactions, events CASCADE")
        await self.crowd.gather()
        await self._look()

    async def _look(self) -> None:
        self.dialogs = {r.id: tuple(r) for r in await self.stage.sql(_DIALOGS)}
        marks = await self.stage.row(
            "SELECT (SELECT coalesce(max(id), 0) FROM reservations) AS slot,"
            " (SELECT coalesce(max(id), 0) FROM events) AS event"
        )
        self.last_slot, self.last_event = marks.slot, marks.event

    @rule(data=st.data(), name=st.sampled_from(sorted(ACTS)))
    def anything(self, data: Any, name: str) -> None:
        def pick(choices: Any) -> Any:
            return choices[data.draw(st.integers(0, len(choices) - 1))]

        self.run(self._step(name, pick))

    async def _step(self, name: str, pick: Any) -> None:
        told = await self.crowd.act(name, pick)
        assert told != "unavailable"
        await self._require_events(silent=name in SILENT)
        assert not await self.stage.sql(_OVERFULL, last=self.last_slot), "a slot beyond the limits in force"
        await self._require_final_ends()
        broken = [b for b in await self.stage.broken_promises() if not b.startswith(LIMITS)]
        assert not broken, "\n".join(broken)
        if not (await self.stage.row(_LATE)).n:
            assert (await self.stage.sweep()).missed == 0, "somebody waits although somebody has room"
        await self._look()

    async def _require_events(self, *, silent: bool) -> None:
        now = {r.id: tuple(r) for r in await self.stage.sql(_DIALOGS)}
        changed = {i for i, row in now.items() if self.dialogs.get(i) != row}
        rows = await self.stage.sql("SELECT DISTINCT dialog_id FROM events WHERE id > :last", last=self.last_event)
        assert silent or changed <= {r.dialog_id for r in rows}, "a change without an event"

    async def _require_final_ends(self) -> None:
        rows = await self.stage.sql("SELECT id, state, ended_at, reason FROM transfers WHERE state <> 'pending'")
        now = {r.id: (r.state, r.ended_at, r.reason) for r in rows}
        assert {i: now[i] for i in self.ended} == self.ended, "an offer ended twice"
        self.ended = now

    def teardown(self) -> None:
        self.run(self._finish())

    async def _finish(self) -> None:
        await self.crowd.wake_everybody()
        await self.stage.require_promises(ignoring=LIMITS)


def test_no_sequence_of_whatever_breaks_a_promise(new_database):
    """Prints how often what was told (-s), so that one sees whether the acts reach what they should."""
    told: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        engine = engine_for(new_database(), pool_size=5)
        sessions = sessions_of(engine)

        def centre() -> Centre:
            made = Centre(runner.get_loop(), sessions)
            made.crowd.told = told
            return made

        try:
            run_state_machine_as_test(centre, settings=_settings())
        finally:
            runner.run(engine.dispose())
    print("".join(f"{n:5} {what}\n" for what, n in sorted(told.items())))


def _settings() -> settings:
    is_long = settings.get_current_profile_name() == "long"
    return settings(
        max_examples=300 if is_long else 8,
        stateful_step_count=80 if is_long else 35,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
