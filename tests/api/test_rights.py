"""Every route × every role: refused with 401 or 403, or not, as the table in rights.py says (P1 to P4)."""

import asyncio
import re

import pytest

from api import health
from api.app import PREFIX, ROUTERS
from tests.api.rights import BODIES, BY_OTHER_MEANS, ID, PEOPLE, PUBLIC, ROUTES

#: a stream never ends; that it began is enough
PATIENCE = 3.0


def _existing() -> list[str]:
    return [
        f"{method} {route.path}"
        for router in (health.router, *ROUTERS)
        for route in router.routes
        for method in sorted(route.methods - {"HEAD"})
    ]


EXISTING = _existing()


@pytest.fixture(scope="module")
async def people(sign_in, open_client):
    return {"nobody": open_client()} | {name: await sign_in(name) for name in PEOPLE}


def test_every_route_stands_in_the_table():
    assert sorted({*EXISTING} - {*ROUTES} - BY_OTHER_MEANS) == []
    assert len(EXISTING) == len(set(EXISTING))


async def _knock(client, route: str) -> int:
    method, path = route.split(" ", 1)
    path = re.sub(r"\{(key|tag|channel)\}", "nothing-such", path)
    path = re.sub(r"\{[a-z_]+\}", ID, path)
    prefix = "" if path in ("/healthz", "/readyz") else PREFIX
    body = {"json": BODIES.get(route, {})} if method != "GET" and method != "DELETE" else {}
    if route == "POST /attachments":
        body = {"content": b"x", "params": {"name": "a.txt"}}
    try:
        answer = await asyncio.wait_for(client.request(method, prefix + path, **body), PATIENCE)
    except TimeoutError:
        return 200
    assert answer.status_code != 500, answer.text
    return answer.status_code


@pytest.mark.parametrize("route", [r for r in EXISTING if r not in BY_OTHER_MEANS and r != "DELETE /session"])
async def test_who_may_knock_where(people, route):
    allowed = ROUTES[route]
    codes = {name: await _knock(client, route) for name, client in people.items()}
    refused = {name for name, code in codes.items() if code in (401, 403)}
    assert refused == {*people} - allowed, codes
    assert allowed == PUBLIC or codes["nobody"] == 401
    assert all(codes[name] == 403 for name in refused - {"nobody"}), codes


async def test_a_message_needs_the_channels_token(people):
    body = {"external_id": "1", "from": {"id": "c"}, "text": "hello"}
    for name, client in people.items():
        answer = await client.post(f"{PREFIX}/channels/demo/inbound", json=body)
        assert answer.status_code == 401, name


async def test_a_light_agent_may_note_but_not_reply(people):
    path = f"{PREFIX}/dialogs/{ID}/messages"
    assert (await people["light"].post(path, json={"mode": "reply", "text": "hello"})).status_code == 403
    assert (await people["light"].post(path, json={"mode": "note", "text": "hello"})).status_code not in (401, 403)


async def test_a_supervisor_sets_distribution_but_not_what_a_team_is(people):
    supervisor = people["supervisor"]
    for change in ({"auto": True}, {"distribution": "round_robin"}, {"transfer_window": 60}, {"accept_norm": 30}):
        assert (await supervisor.patch(f"{PREFIX}/teams/sales", json=change)).status_code == 200, change
    for change in ({"name": "Other"}, {"active": False}, {"topics": []}, {"active": False, "move_to": "support"}):
        assert (await supervisor.patch(f"{PREFIX}/teams/sales", json=change)).status_code == 403, change


async def test_a_supervisor_of_some_teams_leads_only_those(people, demo):
    supervisor = demo["users"]["supervisor@demo.local"]
    team = (await people["admin"].get(f"{PREFIX}/teams/vip")).json()
    await people["admin"].patch(f"{PREFIX}/teams/vip", json={"members": [*team["members"], str(supervisor)]})
    try:
        answer = await people["supervisor"].patch(f"{PREFIX}/teams/vip", json={"auto": True})
        other = await people["supervisor"].patch(f"{PREFIX}/teams/sales", json={"auto": True})
        assert (answer.status_code, other.status_code) == (200, 403)
    finally:
        await people["admin"].patch(f"{PREFIX}/teams/vip", json={"members": team["members"]})


async def test_signing_out_is_for_who_is_signed_in(people, open_client, sign_in):
    assert (await people["nobody"].delete(f"{PREFIX}/session")).status_code == 401
    for name in PEOPLE:
        assert (await (await sign_in(name)).delete(f"{PREFIX}/session")).status_code == 204
