"""Teams, operators with bearer tokens, a channel, and rows of waiting dialogs, straight into the tables."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg

from bench.stacks import TOKEN
from store.ids import new_id
from store.sign_ins import digest_of, new_secret


@dataclass(frozen=True, slots=True)
class Operator:
    id: UUID
    token: str


def plain(url: str) -> str:
    """SQLAlchemy's URL as libpq wants it."""
    return url.replace("+psycopg", "", 1)


async def connect(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(plain(url), autocommit=True)


async def make_team(db: psycopg.AsyncConnection, key: str, *, auto: bool = True) -> None:
    """A team with a channel of the same key that leads to it; its X-Channel-Token is the stack's."""
    await db.execute("INSERT INTO teams (key, name, auto) VALUES (%s, %s, %s)", [key, key, auto])
    await db.execute(
        "INSERT INTO channels (key, kind, name, team_key, token_hash) VALUES (%s, 'generic', %s, %s, %s)",
        [key, key, key, digest_of(TOKEN)],
    )


async def make_people(
    db: psycopg.AsyncConnection, count: int, *, team: str | None, role: str = "operator", room: int = 1000,
    status: str = "online",
) -> list[Operator]:  # fmt: skip
    """People whose lease outlives the run, each with a bearer token."""
    made = [Operator(new_id(), new_secret()) for _ in range(count)]
    async with db.transaction(), db.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO users (id, email, name, password_hash) VALUES (%s, %s, %s, '-')",
            [(o.id, f"{o.id}@bench.local", f"{role} {n}") for n, o in enumerate(made)],
        )
        await cursor.executemany(
            "INSERT INTO operators (user_id, max_dialogs, status) VALUES (%s, %s, %s)",
            [(o.id, room, status) for o in made],
        )
        await cursor.executemany(
            "INSERT INTO presence_leases (operator_id, lease_until) VALUES (%s, now() + interval '1 day')",
            [(o.id,) for o in made],
        )
        await cursor.executemany(
            "INSERT INTO user_roles (user_id, role_key) VALUES (%s, %s)", [(o.id, role) for o in made]
        )
        await cursor.executemany(
            "INSERT INTO tokens (id, user_id, name, token_hash) VALUES (%s, %s, 'bench', %s)",
            [(new_id(), o.id, digest_of(o.token)) for o in made],
        )
        if team:
            await cursor.executemany(
                "INSERT INTO team_members (team_key, user_id) VALUES (%s, %s)", [(team, o.id) for o in made]
            )
    return made


async def queue_dialogs(db: psycopg.AsyncConnection, team: str, count: int) -> None:
    """`count` clients of the team's channel, each with one queued dialog; the oldest has waited longest."""
    await db.execute(
        """
        WITH people AS (
            INSERT INTO contacts (id, name) SELECT gen_random_uuid(), 'client ' || n
            FROM generate_series(1, %(count)s) AS n RETURNING id
        ), addresses AS (
            INSERT INTO identities (id, contact_id, channel_key, address)
            SELECT gen_random_uuid(), id, %(team)s, id::text FROM people RETURNING id, contact_id
        )
        INSERT INTO dialogs (id, kind, status, place, channel_key, identity_id, contact_id, team_key, opened_at,
                             waiting_since)
        SELECT gen_random_uuid(), 'chat', 'new', 'queued', %(team)s, id, contact_id, %(team)s, now(),
               now() - random() * interval '1 hour'
        FROM addresses
        """,
        {"team": team, "count": count},
    )
