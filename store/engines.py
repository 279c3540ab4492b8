"""Connections to PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]

#: how long a statement waits for a lock, and an idle transaction lives, in milliseconds
_OPTIONS = "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"


def engine_for(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `postgresql+psycopg://…`; connections are checked before use, so a restarted server is survived."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"options": _OPTIONS, "connect_timeout": 3, "prepare_threshold": 3},
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
