"""Connections to PostgreSQL."""

import select
import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]

#: how long a statement waits for a lock, and an idle transaction lives, in milliseconds
_OPTIONS = "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"

#: seconds of rest after which a connection is asked whether it still lives, however quiet it is
_RESTED = 5.0


def engine_for(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `postgresql+psycopg://…`; connections are checked before use, so a restarted server is survived."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        connect_args={"options": _OPTIONS, "connect_timeout": 3, "prepare_threshold": 3},
    )
    _check_before_use(engine)
    return engine


def _check_before_use(engine: AsyncEngine) -> None:
    """As pool_pre_ping, but the round trip only after a rest, or when the socket says that something happened:
    a server that stops or ends the session says so, or hangs up.
    """
    pool = engine.sync_engine

    @event.listens_for(pool, "checkin")
    def rests(_: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def wakes(connection: Any, record: Any, _: Any) -> None:
        since = record.info.pop("rests_since", None)
        if since is None or (time.monotonic() - since < _RESTED and _is_quiet(connection)):
            return
        try:
            pool.dialect.do_ping(connection)
        except Exception as error:
            raise InvalidatePoolError from error


def _is_quiet(connection: Any) -> bool:
    """Nothing has come on the socket while the connection rested."""
    socket = select.poll()
    socket.register(connection.driver_connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return not socket.poll(0)


def sessions_of(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


def glances_of(engine: AsyncEngine) -> Sessions:
    """Sessions for single reads: every statement stands alone, which saves the round trips of BEGIN and ROLLBACK."""
    return async_sessionmaker(
        engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False, autoflush=False
    )
