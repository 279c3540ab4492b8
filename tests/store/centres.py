"""A small contact centre for store tests: people, a team, dialogs, by the same functions as the doors use."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from domain.commands import Request, Take, Transfer
from domain.permissions import Permission, Viewer
from domain.presence import Presence
from store import commands, presence, teams, users
from store.engines import Sessions
from store.inbound import Inbound, receive
from store.tables import Channel, Dialog, Event
from store.transactions import Actor, transact
from store.viewers import get_viewer

BOSS = Viewer(UUID(int=1), "Boss", frozenset({"admin"}), frozenset(p.value for p in Permission), frozenset())
_numbers = count(1)


@dataclass
class Centre:
    """`team` and `channel` are its own, so centres in one database do not meet."""

    sessions: Sessions
    team: str = field(default_factory=lambda: f"team{next(_numbers)}")
    rings: set[str] = field(default_factory=set)

    @property
    def channel(self) -> str:
        return f"channel-{self.team}"

    async def do(self, story: Any, *, by: UUID | None = None) -> Any:
        answer, rings = await transact(self.sessions, story, actor=Actor("user", by or BOSS.user_id))
        self.rings |= rings
        return answer

    async def build(self, **fields: Any) -> Centre:
        await self.do(lambda work: teams.add(work, {"key": self.team, "name": self.team, **fields}))
        async with self.sessions.begin() as session:
            session.add(Channel(key=self.channel, kind="generic", name="Channel", team_key=self.team))
        return self

    async def person(
        self, *, role: str = "operator", limit: int = 5, online: bool = True, joins: bool = True, **fields: Any
    ) -> UUID:
        number = next(_numbers)
        given = {"email": f"person{number}@example.com", "name": f"Person {number}", "roles": [role], "limit": limit}
        told = await self.do(lambda work: users.add(work, BOSS, "no password", {**given, **fields}))
        person = UUID(told["id"])
        if joins:
            await self.join(person)
        if online:
            await self.status(person, Presence.ONLINE)
        return person

    async def join(self, *people: UUID) -> None:
        async with self.sessions() as session:
            members = [UUID(m) for m in (await teams.get_team(session, self.team))["members"]]
        await self.change_team(members=[*members, *people])

    async def status(self, person: UUID, status: Presence) -> None:
        await self.do(
            lambda work: presence.choose_status(work, person, status, reason=None, lease=3600, forced_by=None)
        )

    async def change_team(self, **given: Any) -> dict[str, Any]:
        return await self.do(lambda work: teams.change(work, self.team, given))

    async def change_person(self, person: UUID, **given: Any) -> dict[str, Any]:
        return await self.do(lambda work: users.change(work, BOSS, person, given))

    async def message(self, client: str | None = None) -> UUID:
        number = next(_numbers)
        receipt = await receive(
            self.sessions, Inbound(self.channel, f"message {number}", client or f"client {number}", "hello")
        )
        assert receipt.dialog_id is not None
        return receipt.dialog_id

    async def command(self, person: UUID, dialog_id: UUID, command: Any) -> Any:
        request = Request(caller=person, key=f"key {next(_numbers)}", digest="", dialog_id=dialog_id, command=command)
        outcome, _ = await commands.apply(self.sessions, request, f"dialog:{dialog_id}")
        return outcome

    async def take(self, person: UUID, dialog_id: UUID) -> Any:
        return await self.command(person, dialog_id, Take())

    async def offer(self, sender: UUID, dialog_id: UUID, target: UUID) -> Any:
        outcome = await self.command(sender, dialog_id, Transfer(to_operator=target))
        assert outcome.refusal is None, outcome
        return outcome.answer

    async def dialog(self, dialog_id: UUID) -> Dialog:
        async with self.sessions() as session:
            return await session.get_one(Dialog, dialog_id)

    async def places(self, *dialogs: UUID) -> list[str | None]:
        return [(await self.dialog(d)).place for d in dialogs]

    async def held_by(self, person: UUID) -> set[UUID]:
        async with self.sessions() as session:
            held = set(await session.scalars(select(Dialog.id).where(Dialog.operator_id == person)))
            reserved = set(
                await session.scalars(
                    text("SELECT dialog_id FROM reservations WHERE operator_id = :id AND kind = 'held'").columns(
                        Dialog.id
                    ),
                    {"id": person},
                )
            )
        assert held == reserved
        return held

    async def events(self, **where: Any) -> list[Event]:
        async with self.sessions() as session:
            query = select(Event).filter_by(**where).order_by(Event.id)
            return list(await session.scalars(query))

    async def viewer(self, person: UUID) -> Viewer:
        async with self.sessions() as session:
            return await get_viewer(session, person)
