"""Signing in and out, and who is behind a session cookie or a bearer token. Secrets are kept as SHA-256 only."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import SignInError, TooManyError
from domain.events import Fact
from domain.permissions import Viewer
from store import settings
from store.engines import Sessions
from store.ids import new_id
from store.passwords import is_password
from store.tables import Session, SignInAttempt, User
from store.transactions import Actor, Work, transact

PER_EMAIL = 5
PER_ADDRESS = 20
WITHIN = timedelta(minutes=15)
#: how long an attempt that nobody settled (its process died) counts as under way
_UNDER_WAY = timedelta(seconds=10)
_PATIENCE = 60
_PAUSE = 0.05

_RIGHTS = """
       ARRAY(SELECT role_key FROM user_roles WHERE user_id = u.id) AS roles,
       ARRAY(SELECT DISTINCT permission FROM role_permissions rp JOIN user_roles ur ON ur.role_key = rp.role_key
             WHERE ur.user_id = u.id) AS permissions,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id) AS teams
"""
_OF_SESSION = text(f"""
SELECT u.id, u.name, s.csrf, {_RIGHTS}
FROM sessions s JOIN users u ON u.id = s.user_id AND u.is_active
WHERE s.token_hash = :digest AND s.expires_at > clock_timestamp()
""")
_OF_TOKEN = text(f"""
SELECT u.id, u.name, t.id AS token_id, t.scopes, t.expires_at, {_RIGHTS}
FROM tokens t JOIN users u ON u.id = t.user_id AND u.is_active
WHERE t.token_hash = :digest AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
""")
_ONE_AT_A_TIME = text("""
SELECT pg_advisory_xact_lock(4, number)
FROM (SELECT DISTINCT hashtext(subject) AS number FROM unnest(CAST(:subjects AS text[])) AS subject ORDER BY 1) AS locks
""")
_COUNTS = text("""
SELECT subject, count(*) AS tries,
       array_agg(CAST(extract(epoch FROM at + CAST(:within AS interval) - clock_timestamp()) AS float) ORDER BY at)
       AS leaves_in
FROM sign_in_attempts
WHERE (subject = ANY(:failed) AND at > clock_timestamp() - CAST(:within AS interval))
   OR (subject = ANY(:trying) AND at > clock_timestamp() - CAST(:under_way AS interval))
GROUP BY subject
""")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`cookie` and `csrf` are told once; the database keeps only the cookie's digest."""

    user_id: UUID
    cookie: str
    csrf: str
    expires_at: datetime


def new_secret() -> str:
    """32 random bytes, fit for a URL or a header."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def viewer_of_session(session: AsyncSession, cookie: str) -> tuple[Viewer, str] | None:
    """Who holds this cookie, with the session's CSRF value; None when it is unknown, expired or deactivated."""
    row = (await session.execute(_OF_SESSION, {"digest": digest_of(cookie)})).one_or_none()
    if row is None:
        return None
    viewer = Viewer(row.id, row.name, frozenset(row.roles), frozenset(row.permissions), frozenset(row.teams))
    return viewer, row.csrf


async def viewer_of_token(session: AsyncSession, token: str) -> Viewer | None:
    """Who holds this bearer token, with no more rights than its scopes; None when it does not count (any more)."""
    row = (await session.execute(_OF_TOKEN, {"digest": digest_of(token)})).one_or_none()
    if row is None:
        return None
    permissions = frozenset(row.permissions)
    if row.scopes:
        permissions &= frozenset(row.scopes)
    return Viewer(
        row.id, row.name, frozenset(row.roles), permissions, frozenset(row.teams), token_id=row.token_id,
        is_narrowed=bool(row.scopes) or row.expires_at is not None,
    )  # fmt: skip


async def sign_in(sessions: Sessions, email: str, password: str, *, address: str) -> SignedIn:
    """Check a password and open a session.

    Raises SignInError (also for unknown and deactivated people, after the same time), TooManyError after 5 refusals
    for an e-mail or 20 for an address within 15 minutes.
    """
    subject, origin = email.strip().lower(), f"address {address}"
    tries = await _begin_attempt(sessions, subject, origin)
    async with sessions() as session:
        user = await find_user_by_email(session, email)
    fits = await is_password(password, user.password_hash if user is not None else None)

    async def settle(work: Work) -> SignedIn | None:
        await work.read_clock()
        await work.session.execute(delete(SignInAttempt).where(SignInAttempt.id.in_(tries)))
        if user is None or not fits or not await _is_still_active(work.session, user):
            work.session.add_all(SignInAttempt(subject=s) for s in (subject, origin))
            work.record(Fact.USER_SIGN_IN_REFUSED, actor=Actor("user", user.id if user else None, address))
            return None
        await work.session.execute(delete(SignInAttempt).where(SignInAttempt.subject == subject))
        return await _open_session(work, user, address)

    signed, _ = await transact(sessions, settle)
    if signed is None:
        raise SignInError("Wrong e-mail or password.")
    return signed


async def _is_still_active(session: AsyncSession, user: User) -> bool:
    row = await session.execute(
        select(User.is_active, User.password_hash).where(User.id == user.id).with_for_update(read=True)
    )
    now = row.one_or_none()
    return now is not None and now.is_active and now.password_hash == user.password_hash


async def _open_session(work: Work, user: User, address: str) -> SignedIn:
    hours = await settings.value_of(work.session, "session_hours")
    signed = SignedIn(user.id, new_secret(), new_secret(), work.now + timedelta(hours=hours))
    work.session.add(
        Session(
            id=new_id(), token_hash=digest_of(signed.cookie), csrf=signed.csrf, user_id=user.id,
            expires_at=signed.expires_at, address=address,
        )
    )  # fmt: skip
    work.record(Fact.USER_SIGNED_IN, actor=Actor("user", user.id, address))
    return signed


async def find_user_by_email(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(
        select(User).where(text("lower(users.email) = lower(:email)").bindparams(email=email.strip()))
    )


async def _begin_attempt(sessions: Sessions, email: str, address: str) -> list[int]:
    """Book a place among the tries, so that guesses made at once cannot exceed the limits.

    Raises TooManyError; `retry_after`: seconds until enough of the counted refusals have left the window.
    """
    limits = {email: PER_EMAIL, address: PER_ADDRESS}
    trying = {subject: f"trying {subject}" for subject in limits}
    asked = {
        "failed": list(limits), "trying": list(trying.values()), "within": WITHIN, "under_way": _UNDER_WAY,
    }  # fmt: skip
    for _ in range(_PATIENCE):
        async with sessions.begin() as session:
            await session.execute(_ONE_AT_A_TIME, {"subjects": list(limits)})
            found = (await session.execute(_COUNTS, asked)).all()
            counts = {r.subject: r.tries for r in found}
            waits = [r.leaves_in[r.tries - limits[r.subject]] for r in found if r.tries >= limits.get(r.subject, inf)]
            if waits:
                raise _too_many(max(waits))
            if all(counts.get(s, 0) + counts.get(trying[s], 0) < most for s, most in limits.items()):
                rows = [{"subject": t} for t in trying.values()]
                return list(await session.scalars(insert(SignInAttempt).returning(SignInAttempt.id), rows))
        await asyncio.sleep(_PAUSE)
    raise _too_many(_UNDER_WAY.total_seconds())


def _too_many(seconds: float) -> TooManyError:
    wait = max(1, ceil(seconds))
    return TooManyError(f"Too many wrong passwords; try again in {wait} s.", retry_after=wait)


async def sign_out(session: AsyncSession, cookie: str) -> None:
    await session.execute(delete(Session).where(Session.token_hash == digest_of(cookie)))


async def end_sessions(session: AsyncSession, user_id: UUID, *, except_cookie: str | None = None) -> None:
    """Whoever is signed in as this person no longer is."""
    ended = delete(Session).where(Session.user_id == user_id)
    if except_cookie is not None:
        ended = ended.where(Session.token_hash != digest_of(except_cookie))
    await session.execute(ended)
