"""Bring a database to the newest schema, in-process."""

from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from store.roles import put_built_in_roles

_ONE_AT_A_TIME = 3


def _config(url: str, **attributes: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes.update({"url": url, **attributes})
    return config


def upgrade(url: str) -> None:
    """Run every migration that is missing, then put the built-in roles that are.

    Several processes may call it at once: one works, the others wait.
    """
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _ONE_AT_A_TIME})
            connection.commit()
            try:
                command.upgrade(_config(url, connection=connection), "head")
                connection.commit()
                put_built_in_roles(connection)
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _ONE_AT_A_TIME})
                connection.commit()
    finally:
        engine.dispose()


def new_revision(url: str, message: str) -> None:
    """Write a migration from the difference between the tables and the database (a draft: read it)."""
    engine = create_engine(url)
    with engine.connect() as connection:
        command.revision(_config(url, connection=connection), message=message, autogenerate=True)
    engine.dispose()
