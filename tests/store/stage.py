"""A small contact centre on a real database, driven through the store's own doors.

Names are made unique per stage, so tests of one module share a database without meeting each other. Time is moved by
rewriting stored moments: deadlines, leases, exclusions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.commands import Command, Outcome, Request
from domain.errors import UnavailableError
from domain.permissions import GRANTS
from domain.presence import Presence
from store import commands, contacts, presence, sweeps, teams, transfers
from store.engines import Sessions
from store.ids import new_id
from store.inbound import Inbound, Receipt, receive
from store.tables import (
    Channel,
    Operator,
    Role,
    RolePermission,
    Setting,
    Tag,
    Team,
    TeamMember,
    TeamTopic,
    Topic,
    Transfer,
    User,
    UserRole,
)
from store.transactions import Actor, Work, transact
from tests.store.broken_promises import broken_promises

_STAGES = count(1)
LONG = 3600
_DELIVERIES = 5


class Refused(AssertionError):
    """A command that should have succeeded did not."""


class Stage:
    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.suffix = f"-{next(_STAGES)}"
        self.people: dict[str, UUID] = {}
        self.channel = self.key("demo")
        self._externals = count(1)

    def key(self, name: str) -> str:
        return name + self.suffix

    async def prepare(self) -> None:
        """Roles (once a database), a channel and a team `support` it leads to."""
        async with self.sessions.begin() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(7, 7)"))
            if await session.get(Role, "operator") is None:
                session.add_all(Role(key=role, name=role, is_built_in=True) for role in GRANTS)
                await session.flush()
                session.add_all(
                    RolePermission(role_key=role, permission=p.value) for role, given in GRANTS.items() for p in given
                )
        await self.team("support")
        await self.add_channel("demo", "support")

    async def team(self, name: str, **fields: Any) -> str:
        async with self.sessions.begin() as session:
            session.add(Team(key=self.key(name), name=name, **fields))
        return self.key(name)

    async def change_team(self, name: str, **fields: Any) -> None:
        async with self.sessions.begin() as session:
            team = await session.get_one(Team, self.key(name))
            for field, value in fields.items():
                setattr(team, field, value)

    async def add_channel(self, name: str, team: str | None, **fields: Any) -> str:
        async with self.sessions.begin() as session:
            session.add(
                Channel(
                    key=self.key(name), kind="generic", name=name, team_key=self.key(team) if team else None, **fields
                )
            )
        return self.key(name)

    async def topic(self, name: str, *teams: str, **fields: Any) -> str:
        async with self.sessions.begin() as session:
            session.add(Topic(key=self.key(name), name=name, **fields))
            await session.flush()
            session.add_all(
                TeamTopic(topic_key=self.key(name), team_key=self.key(t), position=i) for i, t in enumerate(teams)
            )
        return self.key(name)

    async def tag(self, name: str) -> str:
        async with self.sessions.begin() as session:
            session.add(Tag(key=self.key(name), name=name))
        return self.key(name)

    async def setting(self, key: str, value: Any) -> None:
        async with self.sessions.begin() as session:
            await session.merge(Setting(key=key, value=value))

    async def person(self, name: str, *teams: str, role: str = "operator", online: bool = False, **fields: Any) -> UUID:
        """Somebody with an operator's row; in team `support` unless other teams are named (`-` for none)."""
        user_id = new_id()
        async with self.sessions.begin() as session:
            session.add(User(id=user_id, email=f"{self.key(name)}@test", name=name.title(), password_hash="-"))
            await session.flush()
            if "channel_limits" in fields:
                fields["channel_limits"] = {self.key(k): n for k, n in fields["channel_limits"].items()}
            session.add(Operator(user_id=user_id, **fields))
            session.add(UserRole(user_id=user_id, role_key=role))
            for team in teams or ("support",):
                if team != "-":
                    session.add(TeamMember(team_key=self.key(team), user_id=user_id))
        self.people[name] = user_id
        if online:
            await self.online(name)
        return user_id

    def id_of(self, who: str | UUID) -> UUID:
        return who if isinstance(who, UUID) else self.people[who]

    async def status(
        self, who: str | UUID, status: Presence, *, lease: int | None = LONG, forced_by: str | None = None
    ) -> dict[str, Any]:
        me = self.id_of(who)
        forced = self.id_of(forced_by) if forced_by else None

        async def story(work: Work) -> dict[str, Any]:
            return await presence.choose_status(work, me, status, reason=None, lease=lease, forced_by=forced)

        return (await transact(self.sessions, story, actor=Actor("user", forced or me)))[0]

    async def online(self, *who: str | UUID) -> None:
        for one in who:
            await self.status(one, Presence.ONLINE)

    async def offline(self, *who: str | UUID) -> None:
        for one in who:
            await self.status(one, Presence.OFFLINE)

    async def judge(self, who: str | UUID, grace: float = 300) -> Any:
        """What the presence workflow does on waking."""
        me = self.id_of(who)
        story = lambda work: presence.judge(work, me, grace=timedelta(seconds=grace))  # noqa: E731
        return (await transact(self.sessions, story))[0]

    async def come_back(self, who: str | UUID) -> dict[str, Any]:
        me = self.id_of(who)
        return (await transact(self.sessions, lambda w: presence.come_back(w, me), actor=Actor("user", me)))[0]

    async def write(
        self,
        address: str,
        text: str = "hello",
        *,
        external_id: str | None = None,
        channel: str | None = None,
        **more: Any,
    ) -> Receipt:
        """A client's message."""
        if "topic" in more:
            more["topic"] = self.key(more["topic"])
        external = external_id or f"auto-{next(self._externals)}"
        key = self.key(channel) if channel else self.channel
        for _ in range(_DELIVERIES):
            with contextlib.suppress(UnavailableError):  # a provider told 503 delivers again
                return await receive(self.sessions, Inbound(key, external, address, text, **more))
        raise UnavailableError("Delivered many times in vain.")

    async def opened(self, address: str, **more: Any) -> UUID:
        """The dialog a client's message leads to."""
        receipt = await self.write(address, **more)
        assert receipt.dialog_id is not None
        return receipt.dialog_id

    async def ticket(self, address: str, *, status: str = "open") -> UUID:
        """A ticket without a holder, made as a conversion would leave it."""
        dialog_id = await self.opened(address)
        await self.sql("UPDATE dialogs SET kind = 'ticket', status = :s WHERE id = :d", s=status, d=dialog_id)
        return dialog_id

    async def ask(
        self, who: str | UUID, dialog: UUID, command: Command, *, transfer: UUID | None = None,
        key: str | None = None, digest: str = "d",
    ) -> Outcome:  # fmt: skip
        request = Request(self.id_of(who), key or new_id().hex, digest, dialog, command, transfer)
        outcome, _ = await commands.apply(self.sessions, request, f"dialog:{dialog}")
        return outcome

    async def do(self, who: str | UUID, dialog: UUID, command: Command, **more: Any) -> dict[str, Any]:
        """A command that must succeed; answers its answer."""
        outcome = await self.ask(who, dialog, command, **more)
        if outcome.refusal is not None:
            raise Refused(f"{outcome.refusal}: {outcome.answer}")
        return outcome.answer

    async def refused(self, who: str | UUID, dialog: UUID, command: Command, **more: Any) -> str:
        """A command that must be refused; answers the code."""
        outcome = await self.ask(who, dialog, command, **more)
        assert outcome.refusal is not None, f"not refused: {outcome.answer}"
        return outcome.refusal

    async def members(self, team: str, *names: str) -> None:
        """Who is in a team from now on."""
        given = {"members": [self.people[n] for n in names]}
        await transact(self.sessions, lambda work: teams.change(work, self.key(team), given))

    async def ban(self, dialog: UUID, *, banned: bool = True) -> dict[str, Any]:
        contact = (await self.dialog(dialog)).contact_id
        story = lambda work: contacts.set_ban(work, contact, banned=banned, by=None, reason="rude")  # noqa: E731
        return (await transact(self.sessions, story))[0]

    async def settle(self, transfer: UUID) -> Transfer:
        """What the offer's own timer does on waking."""
        return (await transact(self.sessions, lambda w: transfers.settle_deadline(w, transfer)))[0]

    async def carry_out_drains(self) -> int:
        """What the relay does with due `drain_due` rows."""
        went = 0
        for team, ids in (await sweeps.due_drains(self.sessions)).items():
            went += (await sweeps.drain_team(self.sessions, team, ids))[0]
        return went

    async def sweep(self) -> sweeps.Findings:
        return (await sweeps.sweep(self.sessions))[0]

    # time and rows

    async def pass_deadline(self, transfer: UUID, *, by: float = 0.001) -> None:
        """Rewrite an offer so that its deadline passed `by` seconds ago."""
        await self.set_deadline(transfer, -by)

    async def set_deadline(self, transfer: UUID, seconds: float) -> None:
        async with self.sessions.begin() as session:
            await session.execute(
                text(
                    "SELECT 1 FROM dialogs WHERE id = (SELECT dialog_id FROM transfers WHERE id = :t) FOR NO KEY UPDATE"
                ),
                {"t": transfer},
            )
            at = await session.scalar(
                text(
                    "UPDATE transfers SET deadline = clock_timestamp() + make_interval(secs => :s)"
                    " WHERE id = :t AND state = 'pending' RETURNING deadline"
                ),
                {"s": seconds, "t": transfer},
            )
            await session.execute(
                text("UPDATE reservations SET expires_at = :at WHERE transfer_id = :t AND kind = 'offer'"),
                {"at": at, "t": transfer},
            )

    async def lapse(self, who: str | UUID) -> None:
        """Rewrite a lease so that it ended a moment ago."""
        await self.sql(
            "UPDATE presence_leases SET lease_until = clock_timestamp() - interval '1 ms' WHERE operator_id = :o",
            o=self.id_of(who),
        )

    async def end_windows(self) -> None:
        """Let every exclusion's window end, and the wake-ups that were set for it fall due."""
        await self.sql("UPDATE exclusions SET ends_alone_at = clock_timestamp() - interval '1 ms'")
        await self.sql(
            "UPDATE reactions SET not_before = clock_timestamp() - interval '1 ms'"
            " WHERE workflow_id LIKE 'team:%' AND done_at IS NULL"
        )

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with self.sessions.begin() as session:
            result = await session.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []  # type: ignore[attr-defined]

    async def row(self, statement: str, **values: Any) -> Any:
        rows = await self.sql(statement, **values)
        assert len(rows) == 1, rows
        return rows[0]

    async def dialog(self, dialog_id: UUID) -> Any:
        return await self.row("SELECT * FROM dialogs WHERE id = :d", d=dialog_id)

    async def transfer(self, transfer_id: UUID | str) -> Any:
        return await self.row("SELECT * FROM transfers WHERE id = :t", t=UUID(str(transfer_id)))

    async def holder(self, dialog_id: UUID) -> str | None:
        """The name of who holds a dialog."""
        held = (await self.dialog(dialog_id)).operator_id
        return next((name for name, i in self.people.items() if i == held), str(held)) if held else None

    async def place(self, dialog_id: UUID) -> str | None:
        return (await self.dialog(dialog_id)).place

    async def load(self, who: str | UUID) -> int:
        """Slots taken: held dialogs and offers."""
        found = await self.row("SELECT count(*) AS n FROM reservations WHERE operator_id = :o", o=self.id_of(who))
        return int(found.n)

    async def kinds(self, dialog_id: UUID) -> list[str]:
        """The kinds of a dialog's events, in order."""
        rows = await self.sql("SELECT kind FROM events WHERE dialog_id = :d ORDER BY id", d=dialog_id)
        return [r.kind for r in rows]

    async def decisions(self, dialog_id: UUID) -> list[Any]:
        return await self.sql("SELECT * FROM decisions WHERE dialog_id = :d ORDER BY id", d=dialog_id)

    async def reactions(self, workflow_id: str) -> list[str]:
        rows = await self.sql("SELECT kind FROM reactions WHERE workflow_id = :w ORDER BY id", w=workflow_id)
        return [r.kind for r in rows]

    async def broken_promises(self) -> list[str]:
        async with self.sessions() as session:
            return await broken_promises(session)

    async def require_promises(self, *, ignoring: Iterable[str] = ()) -> None:
        """I1 to I3 hold for every row, and the sweep finds nothing that waits though somebody has room."""
        broken = [b for b in await self.broken_promises() if not any(b.startswith(i) for i in ignoring)]
        assert not broken, "\n".join(broken)
        findings = await self.sweep()
        assert findings.missed == 0, f"{findings.missed} dialogs waited although somebody had room"
