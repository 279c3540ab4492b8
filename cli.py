"""`switchboard …`: the commands of the platform.

Exit codes: 0 done, 1 it could not be done (one line on stderr says why and what to do), 2 a setting or an argument
cannot be used.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from embedded.errors import StartError
from settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from embedded.supervisor import Stack

app = typer.Typer(
    name="switchboard",
    help="Orchestration platform for contact centres. Exit codes: 0 done, 1 failed, 2 bad setting or argument.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@app.command()
def up() -> None:
    """Start everything on this machine and keep it alive until Ctrl-C or SIGTERM."""
    from embedded.panels import stack_panel
    from embedded.supervisor import Supervisor

    settings = load_settings(keep_secret_key=False)
    if "demo" not in settings.model_fields_set:
        settings = settings.model_copy(update={"demo": True})

    def on_ready(stack: Stack) -> None:
        stack_panel(stack, settings)

    Supervisor(settings, say=_say).run(on_ready)


@app.command()
def embedded() -> None:
    """Start only the embedded PostgreSQL and Temporal; print their addresses; stop with Ctrl-C or SIGTERM."""
    from embedded.supervisor import Supervisor

    def on_ready(stack: Stack) -> None:
        print(f"DATABASE_URL={stack.database_url}")
        print(f"TEMPORAL_ADDRESS={stack.temporal_address}", flush=True)

    Supervisor(load_settings(keep_secret_key=False), say=_say, programs=False).run(on_ready)


@app.command()
def server() -> None:
    """Run the web process (needs DATABASE_URL and TEMPORAL_ADDRESS)."""
    settings = load_settings()
    _require_addresses(settings)
    from server import run

    run(settings)


@app.command()
def worker() -> None:
    """Run a worker process for the queues in SWITCHBOARD_WORKER_QUEUES (needs both addresses)."""
    settings = load_settings()
    _require_addresses(settings)
    from worker import run

    run(settings)


@app.command()
def migrate(demo: bool = typer.Option(False, "--demo", help="Then do what `seed` does.")) -> None:
    """Bring the database's schema up to date."""
    settings = load_settings(keep_secret_key=False)
    from store.migrating import upgrade

    with _database(settings) as url:
        upgrade(url)
        if demo:
            _seed(settings, url)
        else:
            _put_library(url, demo=False)
    _say("the schema is up to date")


@app.command()
def seed() -> None:
    """Put the demo's users, teams, topics and channel into the database, and print its password and token."""
    settings = load_settings(keep_secret_key=False)
    with _database(settings) as url:
        password, token = _seed(settings, url)
    print(f"password {password}\ntoken {token}")


@app.command()
def admin(email: str, name: str = typer.Option("Administrator", help="As others see it.")) -> None:
    """Make an administrator: the first person of an installation without the demo. Asks for the password.

    Off a terminal the password is the first line of the standard input.
    """
    from api.fields import Email, Name, Password

    settings = load_settings(keep_secret_key=False)
    _require(Email, email, "the e-mail")
    _require(Name, name, "the name")
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    _require(Password, password, "the password")
    from domain.errors import DomainError
    from store.seeds import create_admin

    with _database(settings) as url:
        try:
            _with_engine(url, lambda engine: create_admin(engine, email, name, password))
        except DomainError as refused:
            raise StartError(str(refused)) from refused
    _say(f"{email} may sign in")


@app.command()
def validate(
    files: list[str] = typer.Argument(..., metavar="FILE…", help="YAML or JSON; - reads the standard input."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
    lang: str = typer.Option("en", help="en or uk."),
    strict: bool = typer.Option(False, "--strict", help="Warnings fail, too."),
) -> None:
    """Check definitions of processes and macros and run their tests; needs no installation.

    Exit code 0: clean, 1: errors, 2: a file cannot be read.
    """
    from domain.definitions.wording import LANGUAGES
    from embedded.validating import tell_people, tell_programs, verdict_on

    if lang not in LANGUAGES:
        raise typer.BadParameter(f"--lang is one of {', '.join(LANGUAGES)}.")
    try:
        verdicts = [verdict_on(file, lang) for file in files]
    except StartError as problem:
        _say(str(problem))
        raise typer.Exit(2) from problem
    if as_json:
        tell_programs(verdicts)
    else:
        tell_people(verdicts, lang)
    if any(verdict.fails(strict=strict) for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Look for what would keep the platform from starting; exit code 1 if something would."""
    from embedded.checks import examine
    from embedded.panels import findings_table

    findings = examine(load_settings(keep_secret_key=False))
    findings_table(findings)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of `switchboard`. Never returns."""
    try:
        app()
    except SystemExit as ending:
        _leave(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
    except SettingsError as problem:
        _say(str(problem))
        _leave(2)
    except StartError as problem:
        _say(str(problem))
        _leave(1)


def _leave(code: int) -> None:
    """Ends the process. With the Temporal SDK loaded the interpreter may abort at exit (temporalio/sdk-python#300)."""
    sys.stdout.flush()
    sys.stderr.flush()
    if "temporalio" in sys.modules:
        os._exit(code)
    sys.exit(code)


def _say(line: str) -> None:
    print(f"switchboard: {line}", file=sys.stderr, flush=True)


def _require(kind: Any, text: str, what: str) -> None:
    """The same shape as the API asks for; `typer.BadParameter` says what is wrong, never the text itself."""
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError as problem:
        raise typer.BadParameter(f"{what} cannot be used: {problem.errors()[0]['msg']}") from None


def _require_addresses(settings: Settings) -> None:
    settings.database()
    settings.temporal()


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """A database's URL for one command; `StartError` when the database cannot be reached or used."""
    from sqlalchemy.exc import OperationalError

    try:
        with _database_at_hand(settings) as url:
            yield url
    except OperationalError as problem:
        reason = " ".join(str(problem.orig).split())
        raise StartError(f"the database cannot be used: {reason} (check DATABASE_URL)") from problem


@contextmanager
def _database_at_hand(settings: Settings) -> Iterator[str]:
    """The configured one, that of the running stack, or the embedded one started for this command."""
    from embedded import folders
    from embedded.postgres import EmbeddedPostgres

    if settings.database_url is not None:
        yield settings.database_url
    elif folders.is_locked(settings.data_dir):
        yield EmbeddedPostgres(settings.data_dir).url
    else:
        with folders.locked(settings.data_dir), EmbeddedPostgres(settings.data_dir) as postgres:
            yield postgres.url


def _seed(settings: Settings, url: str) -> tuple[str, str]:
    """The demo's password and token."""
    from embedded.demo import sign_ins
    from store.seeds import seed_demo

    signed = sign_ins(settings)
    _with_engine(url, lambda engine: seed_demo(engine, signed.password, signed.token))
    _put_library(url, demo=True)
    return signed.password, signed.token


def _put_library(url: str, *, demo: bool) -> None:
    """The built-in definitions, published when they are new; active in the demo."""
    from macros.catalogue import built_ins as macros
    from processes.catalogue import built_ins as processes
    from store.built_ins import put_built_ins

    library = [("process", *one) for one in processes()] + [("macro", *one) for one in macros()]
    _with_engine(url, lambda engine: put_built_ins(engine, library, demo=demo))


def _with_engine(url: str, work: Callable[[AsyncEngine], Awaitable[object]]) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    async def done() -> None:
        engine = create_async_engine(url)
        try:
            await work(engine)
        finally:
            await engine.dispose()

    asyncio.run(done())


if __name__ == "__main__":
    main()
