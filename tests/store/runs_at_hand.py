"""Runs as rows, and their steps carried out as a workflow would: prepared, delivered, tried again when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.deliveries import DeliveryActivities
from domain.actions.catalogue import catalogue
from domain.actions.manifests import Retry
from domain.run_messages import Acted, Bearings, Deliver
from domain.walks.ports import Deed
from gateways.channels.generic import GenericChannel
from store import sending
from store.acting import stage_for
from store.deeds.stages import TeamsNeededError
from store.engines import Sessions
from store.ids import new_id
from store.sending import Prepared
from store.tables import Run, RunItem
from store.transactions import Work, transact

QUICK = Retry(max_attempts=3, initial=0.05, longest=0.1, on=frozenset({"rate_limited", "unavailable", "timeout"}))
EVERYTHING = ["dialog.read", "dialog.assign", "dialog.edit", "dialog.note", "message.send", "http", "ai"]


def unhurried(seconds: float) -> ActivityEnvironment:
    """Where an activity has that much time for all its attempts."""
    made = ActivityEnvironment()
    made.info = replace(
        made.info, scheduled_time=datetime.now(UTC), schedule_to_close_timeout=timedelta(seconds=seconds)
    )
    return made


@dataclass
class RunAtHand:
    """One run of the system's own over the dialogs it is given, an item each. `seconds`: what its steps may take."""

    sessions: Sessions
    id: UUID = field(default_factory=new_id)
    seqs: dict[UUID, int] = field(default_factory=dict)
    seconds: float = 3600
    _steps: count[int] = field(default_factory=lambda: count(1))

    async def begin(self, *dialogs: UUID, canonical: Mapping[str, Any] | None = None, **more: Any) -> RunAtHand:
        async with self.sessions.begin() as session:
            session.add(
                Run(
                    id=self.id, kind="process", definition_key="d", title="D", canonical=dict(canonical or {}),
                    sha256="-", target="dialog", topology="child", effects_run=self.id, run_as="system",
                    granted=EVERYTHING, total=len(dialogs), phase="items", **{"status": "running", **more},
                )
            )  # fmt: skip
            await session.flush()
            for seq, dialog in enumerate(dialogs, 1):
                self.seqs[dialog] = seq
                session.add(
                    RunItem(
                        run_id=self.id, seq=seq, origin_seq=seq, target_key=str(dialog), dialog_id=dialog,
                        state="running",
                    )
                )  # fmt: skip
        return self

    def deed(
        self, action: str, dialog: UUID | None, *, key: str | None = None, retry: Retry = QUICK, **params: Any
    ) -> Deed:
        path = key or f"do/{next(self._steps)}"
        seq = self.seqs.get(dialog, 1) if dialog else 1
        return Deed(
            f"{self.id}:{seq}:{path}", action, params, "step", path, retry, dialog_id=str(dialog) if dialog else None
        )  # fmt: skip

    def bearings(self, dialog: UUID | None) -> Bearings:
        seq = self.seqs.get(dialog, 1) if dialog else 1
        return Bearings(f"process:{self.id}:{seq}", self.id, seq)

    async def prepare(self, deed: Deed, *, contact: UUID | None = None) -> Prepared:
        """Raises StepError; the transaction is committed all the same, as the activity's is."""
        dialog = UUID(deed.dialog_id) if deed.dialog_id else None
        teams = frozenset[str]()

        async def story(work: Work) -> Prepared | Exception:
            nonlocal teams
            run = await work.session.get_one(Run, self.id)
            try:
                heavy = catalogue()[deed.action].heavy
                stage = await stage_for(work, run, dialog, contact, heavy=heavy, teams=teams)
                return await sending.prepare(stage, deed, seq=self.seqs.get(dialog, 1) if dialog else 1)
            except TeamsNeededError as needed:
                teams |= needed.keys
                raise
            except sending.StepError as error:
                return error

        prepared = (await transact(self.sessions, story))[0]
        if isinstance(prepared, Exception):
            raise prepared
        return prepared

    async def deliver_once(self, deed: Deed, message_id: UUID) -> Acted:
        """One attempt. Raises ApplicationError when another is to follow."""
        activities = DeliveryActivities(self.sessions, {"generic": GenericChannel()}, lambda rings: None)
        dialog = UUID(deed.dialog_id) if deed.dialog_id else None
        order = Deliver(self.bearings(dialog), deed, str(message_id))
        return await unhurried(self.seconds).run(activities.deliver_for_step, order)

    async def deliver(self, deed: Deed, message_id: UUID) -> tuple[Acted, list[str]]:
        """As Temporal would: again when told to. Answers also why each attempt before the last was not the last."""
        why: list[str] = []
        while True:
            try:
                return await self.deliver_once(deed, message_id), why
            except ApplicationError as error:
                why.append(str(error.type))
                delay = error.next_retry_delay
            await asyncio.sleep(delay.total_seconds() if delay else 0.1)

    async def send(self, action: str, dialog: UUID | None, **params: Any) -> Acted:
        """Prepare and deliver: what the step is told."""
        deed = self.deed(action, dialog, **params)
        prepared = await self.prepare(deed)
        assert prepared.message_id is not None, prepared.result
        return (await self.deliver(deed, prepared.message_id))[0]
