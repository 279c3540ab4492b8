"""Statements that go to the driver as they are, on the paths where every statement counts.

Nothing is compiled and no entity is made, which is most of what a statement costs here. It is the session's own
connection and transaction; but what the session has not flushed is not seen, and entities in hand are not told.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

_NAMED = re.compile(r"(?<!:):([a-z_]+)")


class Statement:
    """`:name` stands for a value, as in SQLAlchemy's text()."""

    __slots__ = ("sql",)

    def __init__(self, words: str) -> None:
        self.sql = _NAMED.sub(r"%(\1)s", words.replace("%", "%%")).encode()


class Driver:
    """The connection of one transaction; not to be kept beyond it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    @classmethod
    async def of(cls, session: AsyncSession) -> "Driver":
        raw = await (await session.connection()).get_raw_connection()
        assert isinstance(raw.driver_connection, psycopg.AsyncConnection)
        return cls(raw.driver_connection)

    async def ask(self, statement: Statement, given: Mapping[str, Any]) -> Sequence[Any]:
        """Its rows, with names; none where it answers nothing. Raises DBAPIError, without the values."""
        cursor = self._connection.cursor(row_factory=namedtuple_row)
        try:
            await cursor.execute(statement.sql, given)
            return await cursor.fetchall() if cursor.description else ()
        except psycopg.Error as error:
            raise _as_sqlalchemy_tells(statement, error) from error


def _as_sqlalchemy_tells(statement: Statement, error: psycopg.Error) -> Exception:
    """IntegrityError for an IntegrityError and so on, without the values: they may be what somebody wrote."""
    return DBAPIError.instance(statement.sql.decode(), None, error, psycopg.Error, hide_parameters=True)
