"""The web application: every door by name, nothing found by scanning."""

from fastapi import APIRouter, FastAPI

from api import (
    attachments,
    channels,
    commands,
    contacts,
    dialog_commands,
    errors,
    health,
    histories,
    inbound,
    offers,
    presence,
    roles,
    sessions,
    settings,
    tags,
    teams,
    tokens,
    topics,
    users,
)
from api.documents import PROBLEMS
from api.guards import Guards
from api.house import House

PREFIX = "/api/v1"

#: the doors, in the order of the OpenAPI document
ROUTERS: tuple[APIRouter, ...] = (
    sessions.router,
    tokens.router,
    users.router,
    roles.router,
    teams.router,
    topics.router,
    tags.router,
    channels.router,
    settings.router,
    contacts.router,
    attachments.router,
    inbound.router,
    dialog_commands.router,
    offers.router,
    presence.router,
    commands.router,
    histories.router,
)


def create_app(house: House) -> FastAPI:
    app = FastAPI(
        title="Switchboard",
        version="1",
        description="Self-hosted orchestration platform for contact centres.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.house = house
    errors.install(app)
    app.add_middleware(Guards, is_https=house.secure_cookies)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=PROBLEMS)
    return app
