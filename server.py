"""The web process: the API and, beside it, the bell that reaches Temporal."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

from api.app import create_app
from api.events import tail_of
from api.house import House
from logs import configure
from relay.ringing import Bell
from settings import Settings
from store.engines import engine_for, sessions_of
from store.seeds import seed_roles
from workflows.converting import DATA_CONVERTER


async def connect(settings: Settings) -> Client:
    return await Client.connect(**settings.temporal(), data_converter=DATA_CONVERTER)


def app_for(settings: Settings) -> FastAPI:
    """The application with everything it holds; connections are made on start-up and closed on shutdown."""
    engine = engine_for(settings.database(), pool_size=settings.database_pool_size)
    bell = Bell(lambda: connect(settings))
    house = House(
        sessions=sessions_of(engine),
        bell=bell,
        secret_key=settings.secret_key.get_secret_value().encode(),
        secure_cookies=settings.secure_cookies,
        temporal_ui=temporal_ui_of(settings),
    )
    house.extras["database_url"] = settings.database()
    app = create_app(house)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await seed_roles(engine)
        await bell.start()
        async with inner(app):
            yield
        await bell.stop()
        await engine.dispose()

    app.router.lifespan_context = lifespan
    return app


def temporal_ui_of(settings: Settings) -> str | None:
    """Where links into Temporal's web UI begin. The embedded one listens on loopback, whatever we listen on."""
    address = settings.temporal_ui_url
    if address is None and settings.temporal_ui_port:
        address = f"http://127.0.0.1:{settings.temporal_ui_port}"
    return f"{address.rstrip('/')}/namespaces/{settings.temporal_namespace}" if address else None


COULD_NOT_START = 3


class Server(uvicorn.Server):
    """Ends the event streams when it is told to stop: they would keep it waiting until its patience is over."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        tail_of(self.config.app.state.house).close()  # type: ignore[union-attr]


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Exits with 3 when it could not start."""
    configure(settings.log_format, settings.log_level, "server")
    config = uvicorn.Config(
        app_for(settings),
        host=settings.host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        loop="uvloop",
        http="httptools",
        proxy_headers=False,
        server_header=False,
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(COULD_NOT_START)
