"""What a new installation starts with: the built-in roles, a first administrator, and the demo."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from domain.errors import ConflictError
from store.demo_calendars import put_calendar
from store.demo_desks import put_desk
from store.demo_promises import put_promises
from store.demo_tickets import put_ticket_fields
from store.engines import sessions_of
from store.ids import new_id
from store.passwords import hash_password
from store.roles import put_built_in_roles
from store.sign_ins import digest_of, find_user_by_email
from store.tables import Channel, Operator, Setting, Tag, Team, TeamMember, TeamTopic, Token, Topic, User, UserRole

CHANNEL = "demo"
ADMIN = "admin@demo.local"
_TOKEN = "demo"


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    name: str
    role: str
    teams: tuple[str, ...] = field(default=())


PEOPLE = (
    Person(ADMIN, "Адміністратор", "admin"),
    Person("supervisor@demo.local", "Супервізор", "supervisor"),
    Person("integrator@demo.local", "Інтегратор", "integrator"),
    Person("ops@demo.local", "Інженер підтримки", "ops"),
    Person("olha@demo.local", "Ольга", "operator", ("support", "vip")),
    Person("taras@demo.local", "Тарас", "operator", ("support",)),
    Person("iryna@demo.local", "Ірина", "operator", ("support", "sales")),
    Person("light@demo.local", "Лайт-агент", "light_agent", ("support",)),
)
TEAMS = {"support": "Підтримка (support)", "sales": "Продажі (sales)", "vip": "VIP"}
#: key → (name, aliases, team)
TOPICS = {
    "payment": ("Оплата (payment)", ["оплата"], "support"),
    "delivery": ("Доставка (delivery)", ["доставка"], "support"),
    "offers": ("Пропозиції (offers)", ["пропозиції"], "sales"),
}
TAGS = {"vip": "VIP", "refund": "Повернення коштів (refund)"}


async def seed_roles(engine: AsyncEngine) -> None:
    """Every installation: the built-in roles. A second time changes nothing."""
    async with engine.begin() as connection:
        await connection.run_sync(put_built_in_roles)


async def create_admin(engine: AsyncEngine, email: str, name: str, password: str) -> UUID:
    """The first person of an installation without the demo. Raises ConflictError when the e-mail is taken."""
    await seed_roles(engine)
    hashed = await hash_password(password)
    async with sessions_of(engine).begin() as session:
        if await find_user_by_email(session, email) is not None:
            raise ConflictError(f"There is somebody with the e-mail {email}.")
        return await _add_person(session, Person(email.strip(), name, "admin"), hashed)


async def seed_demo(engine: AsyncEngine, password: str, token: str) -> dict[str, Any]:
    """The demo's people, teams, topics, tags and channel, once; a second time changes nothing.

    `token` is the X-Channel-Token of the channel `demo` and a bearer token of the administrator. Like the password it
    counts only when the demo is made: a start must not undo what an administrator changed, rotated or revoked since.
    Answers the ids of the people by e-mail, and whether the demo was made by this call.
    """
    await seed_roles(engine)
    async with sessions_of(engine).begin() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(5, 1)"))
        is_new = not await _is_made(session)
        if is_new:
            await _make_demo(session, await hash_password(password), digest_of(token))
        await put_desk(session)
        await put_calendar(session)
        await put_promises(session)
        await put_ticket_fields(session)
        people = await session.execute(select(User.email, User.id).where(User.email.in_([p.email for p in PEOPLE])))
        users = {r.email: r.id for r in people}
    return {"created": is_new, "users": users, "teams": list(TEAMS), "topics": list(TOPICS), "channel": CHANNEL}


async def _is_made(session: AsyncSession) -> bool:
    """Any of its people will do: an administrator may have given some of them other addresses."""
    people = select(User.id).where(func.lower(User.email).in_([p.email for p in PEOPLE]))
    return await session.scalar(people.limit(1)) is not None


async def _make_demo(session: AsyncSession, hashed: str, digest: bytes) -> None:
    session.add_all(Team(key=key, name=name, transfer_window=120) for key, name in TEAMS.items())
    session.add_all(Topic(key=key, name=name, aliases=aliases) for key, (name, aliases, _) in TOPICS.items())
    session.add_all(Tag(key=key, name=name) for key, name in TAGS.items())
    await session.flush()
    session.add_all(TeamTopic(topic_key=key, team_key=team) for key, (_, _, team) in TOPICS.items())
    session.add(Channel(key=CHANNEL, kind="generic", name="Демо (demo)", team_key="support", token_hash=digest))
    if await session.get(Setting, "default_team") is None:
        session.add(Setting(key="default_team", value="support"))
    users = {person.email: await _add_person(session, person, hashed) for person in PEOPLE}
    session.add(Token(id=new_id(), user_id=users[ADMIN], name=_TOKEN, token_hash=digest))
    await session.flush()


async def _add_person(session: AsyncSession, person: Person, hashed: str) -> UUID:
    user = User(id=new_id(), email=person.email, name=person.name, password_hash=hashed)
    session.add(user)
    await session.flush()
    session.add_all([Operator(user_id=user.id), UserRole(user_id=user.id, role_key=person.role)])
    session.add_all(TeamMember(team_key=team, user_id=user.id) for team in person.teams)
    await session.flush()
    return user.id
