"""The web application: every door by name, nothing found by scanning."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from api import (
    actions,
    approvals,
    attachments,
    bundles,
    calendars,
    channels,
    clock_reports,
    clocks,
    commands,
    connections,
    contacts,
    definitions,
    dialog_commands,
    dialog_people,
    dialogs,
    errors,
    event_logs,
    events,
    folders,
    health,
    histories,
    hooks,
    inbound,
    incoming_offers,
    launches,
    macros,
    notices,
    offers,
    presence,
    queues,
    ratings,
    ready_texts,
    roles,
    run_commands,
    runs,
    secrets,
    sessions,
    settings,
    sla_policies,
    tags,
    teams,
    ticket_fields,
    tickets,
    timelines,
    tokens,
    topics,
    users,
    versions,
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
    calendars.router,
    sla_policies.router,
    ticket_fields.router,
    ticket_fields.levels,
    tags.router,
    channels.router,
    settings.router,
    connections.router,
    secrets.router,
    ready_texts.router,
    folders.router,
    folders.filters,
    notices.router,
    actions.router,
    contacts.router,
    ratings.router,
    attachments.router,
    inbound.router,
    tickets.router,
    dialog_commands.router,
    dialog_people.router,
    offers.router,
    presence.router,
    commands.router,
    definitions.processes,
    definitions.macros,
    definitions.blueprints,
    definitions.schemas,
    versions.processes,
    versions.macros,
    versions.blueprints,
    bundles.processes,
    bundles.macros,
    bundles.blueprints,
    bundles.imports,
    hooks.router,
    launches.router,
    macros.router,
    runs.router,
    run_commands.router,
    approvals.router,
    histories.router,
    dialogs.router,
    timelines.router,
    clocks.router,
    clock_reports.router,
    incoming_offers.router,
    queues.router,
    events.router,
    event_logs.router,
)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    tail = events.tail_of(app.state.house)
    tail.start()
    yield
    await tail.stop()


def create_app(house: House) -> FastAPI:
    app = FastAPI(
        title="Switchboard",
        version="1",
        description="Self-hosted orchestration platform for contact centres.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.house = house
    errors.install(app)
    app.add_middleware(Guards, is_https=house.secure_cookies)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=PROBLEMS)
    return app
