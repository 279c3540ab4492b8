"""Bearer tokens of people and integrations: named, scoped, revocable."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ForbiddenError, InvalidError, NotFoundError
from domain.permissions import Permission, Viewer
from store.ids import new_id
from store.settings import record_change
from store.sign_ins import digest_of, new_secret
from store.tables import Token
from store.transactions import Work


async def tokens_of(session: AsyncSession, user_id: UUID) -> Sequence[Token]:
    """Those that count, newest first."""
    rows = await session.scalars(
        select(Token).where(Token.user_id == user_id, Token.revoked_at.is_(None)).order_by(Token.id.desc())
    )
    return rows.all()


async def get_token(session: AsyncSession, viewer: Viewer, token_id: UUID) -> Token:
    """Raises NotFoundError for one that is revoked or not the viewer's."""
    token = await session.get(Token, token_id)
    if token is None or token.user_id != viewer.user_id or token.revoked_at is not None:
        raise NotFoundError("There is no such token.")
    return token


async def issue(
    work: Work, viewer: Viewer, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[Token, str]:
    """A new token of the caller and its secret, told this once.

    It can never do more than the caller can now. Raises InvalidError, ForbiddenError (also for every caller with a
    narrow or expiring token).
    """
    viewer.require_whole()
    await work.read_clock()
    if unknown := sorted(set(scopes) - {p.value for p in Permission}):
        raise InvalidError(f"There is no right {unknown[0]!r}.", field="scopes")
    if expires_at is not None and expires_at <= work.now:
        raise InvalidError("expires_at has passed already.", field="expires_at")
    if missing := sorted(set(scopes) - viewer.permissions):
        raise ForbiddenError(f"You do not have the right {missing[0]}.", permission=missing[0])
    secret = new_secret()
    token = Token(
        id=new_id(), user_id=viewer.user_id, name=name, token_hash=digest_of(secret), scopes=sorted(set(scopes)),
        created_at=work.now, expires_at=expires_at,
    )  # fmt: skip
    work.session.add(token)
    record_change(work, "token", str(token.id), None, {"name": name, "scopes": token.scopes})
    return token, secret


async def revoke(work: Work, viewer: Viewer, token_id: UUID) -> None:
    """Raises NotFoundError for one that is not the caller's (who manages users may revoke anybody's).

    A narrow or expiring token may revoke itself; for others it raises ForbiddenError.
    """
    if viewer.token_id != token_id:
        viewer.require_whole()
    await work.read_clock()
    token = await work.session.get(Token, token_id, with_for_update=True)
    if token is None or not (token.user_id == viewer.user_id or viewer.may(Permission.USERS_MANAGE)):
        raise NotFoundError("There is no such token.")
    if token.revoked_at is None:
        token.revoked_at = work.now
        record_change(work, "token", str(token.id), {"name": token.name}, None)


async def revoke_all(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(
        update(Token)
        .where(Token.user_id == user_id, Token.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
    )
