"""One unit of work: its locks in the one order, its moment, its events and reactions (DECISIONS 1, 5, 6).

Lock order: command key → identity → team advisory locks (ascending) → dialog rows (ascending) → operator rows
(ascending) → the rest.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import UnavailableError
from domain.events import Fact
from store.engines import Sessions
from store.following import follow
from store.statements import Driver, Statement
from store.tables import Dialog, Operator, Reaction

T = TypeVar("T")

TEAM_LOCKS = 1
#: deadlock, serialization failure, lock timeout
_AGAIN = {"40P01", "40001", "55P03"}
_TRIES = 4
_REREADS = 20

_LOCK_TEAMS = text(
    "SELECT pg_advisory_xact_lock(:space, number::int)"
    " FROM (SELECT number FROM teams WHERE key = ANY(:keys) ORDER BY number) AS wanted"
)
_CLOCK = text("SELECT clock_timestamp()")
#: the events of the JSON array `:facts`, in its order
INSERT_EVENTS = """
INSERT INTO events (kind, at, dialog_id, contact_id, team_key, operator_id, actor_kind, actor_id, address, run_id, data)
SELECT kind, at, dialog_id, contact_id, team_key, operator_id, actor_kind, actor_id, address, run_id, data
FROM ROWS FROM (jsonb_to_recordset(CAST(:facts AS jsonb)) AS (
    kind text, at timestamptz, dialog_id uuid, contact_id uuid, team_key text, operator_id uuid, actor_kind text,
    actor_id uuid, address text, run_id uuid, data jsonb)) WITH ORDINALITY AS told ORDER BY ordinality
"""
_WRITE_EVENTS = text(INSERT_EVENTS)


class GroundMovedError(Exception):
    """What was read before the locks is no longer so: start the transaction again."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change. kind: user, client, system, process."""

    kind: str
    id: UUID | None = None
    address: str | None = None


SYSTEM = Actor("system")


@dataclass(slots=True)
class Work:
    """One transaction. `now` is the database's clock, read once the locks were held."""

    session: AsyncSession
    actor: Actor = SYSTEM
    teams: frozenset[str] = frozenset()
    moment: datetime | None = None
    rings: set[str] = field(default_factory=set)
    run_id: UUID | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)
    followed: int = 0
    scenes: dict[UUID, Any] = field(default_factory=dict)
    """Dialogs at hand, by their ids (store/dialogs.py: Scene): what follows from a fact asks them first."""
    #: dialogs that facts were recorded of, as they were loaded: kept, or the session would forget them
    dialogs: dict[UUID, Dialog] = field(default_factory=dict)
    driver: Driver | None = None

    @property
    def now(self) -> datetime:
        if self.moment is None:
            raise RuntimeError("read the clock after the locks are held")
        return self.moment

    async def read_clock(self) -> datetime:
        self.moment = await self.session.scalar(_CLOCK)
        return self.now

    async def ask(self, statement: Statement, **given: Any) -> Sequence[Any]:
        """The rows of a statement that goes to the driver as it is (store/statements.py)."""
        if self.driver is None:
            self.driver = await Driver.of(self.session)
        return await self.driver.ask(statement, given)

    async def lock_teams(self, keys: Iterable[str]) -> None:
        """Take the teams' advisory locks in ascending order, before any row lock. Nothing else may follow later."""
        wanted = frozenset(keys)
        if wanted:
            await self.session.execute(_LOCK_TEAMS, {"space": TEAM_LOCKS, "keys": sorted(wanted)})
        self.teams |= wanted

    def require_teams(self, keys: Iterable[str | None]) -> None:
        """Raises GroundMovedError when one of the teams is not locked by this transaction."""
        if not {k for k in keys if k is not None} <= self.teams:
            raise GroundMovedError

    async def lock_operators(self, ids: Iterable[UUID | None]) -> None:
        wanted = sorted({i for i in ids if i is not None})
        if wanted:
            await self.session.execute(
                select(Operator.user_id)
                .where(Operator.user_id.in_(wanted))
                .order_by(Operator.user_id)
                .with_for_update(key_share=True)
            )

    def record(
        self,
        fact: Fact | str,
        *,
        dialog_id: UUID | None = None,
        contact_id: UUID | None = None,
        team: str | None = None,
        operator_id: UUID | None = None,
        actor: Actor | None = None,
        at: datetime | None = None,
        **data: Any,
    ) -> None:
        """The event of a fact, in the transaction that made it true. `data` never carries message texts.

        A name that is no Fact is a definition's own: `custom.NAME`.
        """
        who = actor or self.actor
        if dialog_id is not None and dialog_id not in self.dialogs:
            loaded = self.session.identity_map.get(Dialog.__mapper__.identity_key_from_primary_key((dialog_id,)))
            if loaded is not None:
                self.dialogs[dialog_id] = loaded
        self.facts.append(
            {
                "kind": str(fact), "at": (at or self.now).isoformat(), "dialog_id": dialog_id,
                "contact_id": contact_id, "team_key": team, "operator_id": operator_id, "actor_kind": who.kind,
                "actor_id": who.id, "address": who.address, "run_id": self.run_id, "data": data,
            }
        )  # fmt: skip

    def take_facts(self) -> str:
        """What was recorded and is not written yet, as the JSON of INSERT_EVENTS; whoever takes it writes it."""
        told, self.facts, self.followed = json.dumps(self.facts, default=str), [], 0
        return told

    async def follow(self) -> None:
        """Bring about what the recorded facts cause in this very transaction; whoever takes them does this first."""
        await follow(self)

    async def write_facts(self) -> None:
        """One statement for all that was recorded; the end of a transaction does it."""
        if self.facts:
            await self.follow()
            await self.session.execute(_WRITE_EVENTS, {"facts": self.take_facts()})

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What happens inside is gone whole when it raises: rows, facts and rings."""
        facts, followed, rings = len(self.facts), self.followed, set(self.rings)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self.facts[facts:]
            self.followed = followed
            self.rings = rings
            raise

    def react(self, workflow_id: str, kind: str, *, not_before: datetime | None = None, **payload: Any) -> None:
        """Ask a workflow to act on what this transaction makes true; whoever commits rings it."""
        row = Reaction(workflow_id=workflow_id, kind=kind, payload=payload)
        if not_before is not None:
            row.not_before = not_before
        else:
            self.rings.add(workflow_id)
        self.session.add(row)

    async def insert(self, table: type[Any], rows: list[dict[str, Any]]) -> None:
        if rows:
            await self.session.execute(insert(table), rows)


async def transact(
    sessions: Sessions, story: Callable[[Work], Awaitable[T]], *, actor: Actor = SYSTEM
) -> tuple[T, set[str]]:
    """Run `story` in one transaction, again when the ground moved or the database says so; answer it with its rings.

    Raises UnavailableError when what it needs stays blocked; DBAPIError when the database is away.
    """
    tries = rereads = 0
    while True:
        try:
            async with sessions() as session, session.begin():
                work = Work(session, actor)
                answer = await story(work)
                await work.write_facts()
            return answer, work.rings
        except GroundMovedError:
            rereads += 1
            if rereads >= _REREADS:
                raise UnavailableError("Too much is changing at once; try again.") from None
            await asyncio.sleep(0.002 * (rereads - 1))
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            tries += 1
            if state not in _AGAIN:
                raise
            if tries >= _TRIES:
                raise UnavailableError("Others have been at work on the same rows for too long; try again.") from error
            await asyncio.sleep(0.01 * tries)


async def team_keys_of(session: AsyncSession, user_ids: Iterable[UUID | None]) -> frozenset[str]:
    ids = [i for i in user_ids if i is not None]
    if not ids:
        return frozenset()
    rows = await session.execute(
        text("SELECT DISTINCT team_key FROM team_members WHERE user_id IN :ids").bindparams(
            bindparam("ids", expanding=True)
        ),
        {"ids": ids},
    )
    return frozenset(r[0] for r in rows)
