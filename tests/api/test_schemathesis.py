"""Whatever is sent to any route, as the administrator: no 5xx, and only answers that the OpenAPI document tells of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.house import House
from store.engines import engine_for, sessions_of
from tests.chaos.stack import PASSWORD, TOKEN, Stack

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
#: no shrinking: the first request that goes wrong is told as it was
QUIETLY = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.explicit, Phase.generate])
pytestmark = pytest.mark.timeout(600)
DEFINITION = """\
dsl: 1
kind: {kind}
name: fuzzed
title: Fuzzed
permissions: {{ launch: {{ roles: [admin] }} }}
do:
  - {{ id: say, call: log, with: {{ text: Hello }} }}
tests:
  - {{ name: says, expect: {{ status: succeeded }} }}
"""


class NoBell:
    """The application is only asked for its document."""


def described(modes: list[GenerationMode], examples: int, *, every_edge: bool) -> Any:
    """The document of the application, to be asked what its routes may be sent. The stream never ends: left out."""
    generation = GenerationConfig(modes=modes, max_examples=examples, deterministic=True, database="none")
    phases = PhasesConfig(coverage=CoveragePhaseConfig(enabled=every_edge, generation=generation))
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases)))
    app = create_app(House(sessions_of(engine_for("postgresql+psycopg://nobody@nowhere/none")), NoBell(), b"none"))
    return schemathesis.openapi.from_dict(app.openapi(), config=config).exclude(path="/api/v1/events")


anything = described(list(GenerationMode), 4, every_edge=True)
well_formed = described([GenerationMode.POSITIVE], 10, every_edge=False)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def known(stack: Stack) -> dict[str, str]:
    """What path parameters may stand for, by their names or by the route's noun and name: made-up ids end at 404 too
    early.
    """
    api = f"{stack.url}/api/v1"
    with httpx.Client(base_url=api, headers=ADMIN, timeout=30) as admin:
        people = {p["name"]: p["id"] for p in ask(admin.get("/operators"))["items"]}
        with httpx.Client(base_url=api, timeout=30) as olha, httpx.Client(base_url=api, timeout=30) as taras:
            for person, name in ((olha, "olha"), (taras, "taras")):
                signed = ask(person.post("/session", json={"email": f"{name}@demo.local", "password": PASSWORD}))
                person.headers["X-CSRF-Token"] = signed["csrf"]
            ask(olha.put("/operators/me/presence", json={"status": "online", "lease": 3600}))
            body = {"external_id": "1", "from": {"id": "c"}, "text": "hello", "topic": "delivery"}
            heard = ask(admin.post("/channels/demo/inbound", headers={"X-Channel-Token": TOKEN}, json=body))
            ask(taras.put("/operators/me/presence", json={"status": "online", "lease": 3600}))
            transfer = {"to_operator": people["Тарас"]}
            offered = ask(olha.post(f"/dialogs/{heard['dialog_id']}/transfers", json=transfer))
        dialog = ask(admin.get(f"/dialogs/{heard['dialog_id']}"))
        ask(admin.post("/channels", json={"key": "spare", "kind": "generic", "name": "Spare"}))
        token = ask(admin.post("/tokens", json={"name": "fuzzed"}))
        run = make_the_desk(admin, dialog["id"])
    return {
        "dialog_id": dialog["id"], "operator": people["Ірина"], "operator_id": people["Ольга"],
        "user_id": people["Тарас"], "tag": "refund", "run_id": run, "channel": "demo", "seq": "1",
        "version": "1", "before": "1", "after": "1", "name": "fuzzed-secret", "path": "fuzzed", "secret": "fuzzed",
        "transfer_id": offered["transfer_id"], "contact_id": dialog["contact"]["id"], "token_id": token["id"],
        "teams.key": "vip", "topics.key": "payment", "tags.key": "vip", "channels.key": "spare",
        "roles.key": "light_agent", "settings.key": "stuck_after", "dialogs.key": "fuzzed", "macros.key": "fuzzed",
        "sla-policies.key": "standard", "calendars.key": "office",
        "processes.key": "fuzzed-process", "filters.key": "fuzzed-filter",
        "priorities.key": "fuzzed", "ticket-fields.key": "fuzzed",
        **{f"{door}.key": "fuzzed" for door in ("quick-replies", "message-templates", "folders", "connections")},
    }  # fmt: skip


def make_the_desk(admin: httpx.Client, dialog: str) -> str:
    """One of everything people work with; answers the id of a run."""
    for kind in ("macro", "process"):
        text = DEFINITION.format(kind=kind)
        door = {"macro": "macros", "process": "processes"}[kind]
        if kind == "process":
            text = text.replace("name: fuzzed", "name: fuzzed-process")
        ask(admin.post(f"/{door}", content=text, headers={"Content-Type": "application/yaml"}))
        name = "fuzzed" if kind == "macro" else "fuzzed-process"
        ask(admin.post(f"/{door}/{name}/versions"))
        ask(admin.post(f"/{door}/{name}/activation"))
    text = {"key": "fuzzed", "name": "Fuzzed", "text": "Hello"}
    ask(admin.post("/quick-replies", json=text))
    ask(admin.post("/message-templates", json=text))
    ask(admin.post("/folders", json={"key": "fuzzed", "name": "Fuzzed", "criteria": {"status": ["open"]}}))
    ask(admin.post("/filters", json={"key": "fuzzed-filter", "name": "Fuzzed", "criteria": {}}))
    ask(admin.post("/connections", json={"key": "fuzzed", "name": "Fuzzed", "base_url": "http://127.0.0.1:9"}))
    ask(admin.put("/secrets/fuzzed-secret", json={"value": "fuzzed"}))
    ask(admin.post("/ticket-fields", json={"key": "fuzzed", "name": "Fuzzed", "type": "number"}))
    ask(admin.post("/priorities", json={"key": "fuzzed", "name_uk": "F", "name_en": "F", "position": 5}))
    launched = ask(admin.post("/processes/fuzzed-process/runs", json={"selection": {"ids": [dialog]}}))
    return str(launched["run_id"])


def ask(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


@anything.parametrize()
@QUIETLY
def test_anything_gets_an_answer_the_document_tells_of(case: Any, stack: Stack) -> None:
    case.call_and_validate(base_url=stack.url, headers=ADMIN, checks=CHECKS, timeout=30)


@well_formed.parametrize()
@QUIETLY
def test_what_is_well_formed_and_about_things_that_are_there(case: Any, stack: Stack, known: dict[str, str]) -> None:
    path = case.path.removeprefix("/api/v1")
    if case.path_parameters:
        noun = path.split("/")[1]
        case.path_parameters = {
            name: known.get(f"{noun}.{name}", known.get(name, v)) for name, v in case.path_parameters.items()
        }
    headers = {**ADMIN, "X-Channel-Token": TOKEN} if path.endswith("/inbound") else ADMIN
    case.call_and_validate(base_url=stack.url, headers=headers, checks=CHECKS, timeout=30)
