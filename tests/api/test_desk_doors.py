"""Desk settings over HTTP: folders narrow lists, filters are somebody's own, ready texts count their versions,
connections keep no credential, notices are one's own, a rating is given once.
"""

import secrets
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from store.ids import new_id
from store.ratings import digest_of_token
from store.tables import Notice, RatingRequest

API = "/api/v1"


def connection(**more):
    rule = {"methods": ["GET"], "paths": ["/v2/clients/*/deposits/last"]}
    return {"key": "bank", "name": "Bank", "base_url": "https://bank.example/api", "allow": [rule], **more}


async def test_a_folder_and_a_filter_narrow_a_list_together(desk):
    waiting = await desk.opened("c1")
    other = await desk.opened("c2", channel="shop")
    boss = await desk.client("boss")
    folder = {
        "key": f"support-{new_id()}",
        "name": "Support",
        "criteria": {"team": [desk.key("support")], "channel": []},
    }
    made = (await boss.post("/folders", json=folder)).json()
    assert made["criteria"] == {"team": [desk.key("support")]}
    unanswered = {"key": f"mine-{new_id()}", "name": "Mine", "criteria": {"awaiting_reply": ["true"]}}
    assert (await boss.post("/filters", json=unanswered)).status_code == 201
    listed = await desk.listed("boss", folder=folder["key"])
    assert waiting in listed
    assert other not in listed
    assert set(await desk.listed("boss", folder=made["id"], filter=unanswered["key"])) == set(listed)
    assert await desk.listed("boss", folder=folder["key"], team=desk.key("sales")) == []
    assert (await boss.get("/dialogs", params={"folder": "nothing-such"})).status_code == 404
    nobodys = await (await desk.client("taras")).get("/dialogs", params={"filter": unanswered["key"]})
    assert nobodys.status_code == 404
    assert (await boss.delete(f"/folders/{folder['key']}")).status_code == 204


async def test_filters_are_ones_own_and_publishing_needs_a_right(desk):
    olha, taras, lead = [await desk.client(name) for name in ("olha", "taras", "lead")]
    mine = {"key": f"own-{new_id()}", "name": "Own", "criteria": {"operator": ["me"]}}
    assert (await olha.post("/filters", json={**mine, "public": True})).status_code == 403
    assert (await olha.post("/filters", json=mine)).status_code == 201
    path = f"/filters/{mine['key']}"
    assert (await taras.get(path)).status_code == 404
    assert (await taras.patch(path, json={"name": "x"})).status_code == 404
    assert (await olha.patch(path, json={"public": True})).status_code == 403
    shared = {"key": f"all-{new_id()}", "name": "All", "criteria": {"status": ["closed"]}, "public": True}
    assert (await lead.post("/filters", json=shared)).status_code == 201
    assert (await taras.get(f"/filters/{shared['key']}")).status_code == 200
    assert (await taras.delete(f"/filters/{shared['key']}")).status_code == 403
    assert (await olha.delete(path)).status_code == 204


@pytest.mark.parametrize(
    ("criteria", "field"),
    [({"status": ["odd"]}, "status"), ({"from": ["yesterday"]}, "from"), ({"operator": ["x"]}, "operator")],
)
async def test_criteria_that_make_no_sense_are_refused(admin, criteria, field):
    answer = await admin.post(f"{API}/folders", json={"key": "odd", "name": "Odd", "criteria": criteria})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    misspelt = await admin.post(f"{API}/folders", json={"key": "odd", "name": "Odd", "criteria": {"topik": ["x"]}})
    assert misspelt.status_code == 422


async def test_a_quick_reply_counts_the_texts_it_has_had(admin):
    body = {"key": "hello", "name": "Hello", "text": "Добрий день, {contact.first_name}!"}
    made = (await admin.post(f"{API}/quick-replies", json=body)).json()
    assert made["version"] == 1
    assert (await admin.patch(f"{API}/quick-replies/hello", json={"name": "Hi"})).json()["version"] == 1
    assert (await admin.patch(f"{API}/quick-replies/hello", json={"text": "Вітаю!"})).json()["version"] == 2
    assert (await admin.post(f"{API}/quick-replies", json=body)).status_code == 409
    assert (await admin.delete(f"{API}/quick-replies/hello")).status_code == 204
    template = {"key": "promo", "name": "Promo", "text": "…", "kinds": ["whatsapp"]}
    assert (await admin.post(f"{API}/message-templates", json=template)).json()["kinds"] == ["whatsapp"]
    assert (await admin.post(f"{API}/message-templates", json={**template, "kinds": ["fax"]})).status_code == 422


async def test_a_connection_names_its_secret_and_the_audit_no_header_values(admin, sessions):
    told = (
        await admin.post(
            f"{API}/connections",
            json=connection(auth={"kind": "bearer", "secret": "bank-token"}, headers={"X-Client": "hush-hush"}),
        )
    ).json()
    assert told["auth"] == {"kind": "bearer", "secret": "bank-token"}
    changed = await admin.patch(f"{API}/connections/bank", json={"timeout": 5, "headers": {"X-Client": "psst-psst"}})
    assert changed.json()["timeout"] == 5
    async with sessions() as session:
        for value in ("hush-hush", "psst-psst"):
            found = text("SELECT count(*) FROM events e WHERE e::text LIKE '%' || :value || '%'")
            assert await session.scalar(found, {"value": value}) == 0
    assert (await admin.delete(f"{API}/connections/bank")).status_code == 204


@pytest.mark.parametrize(
    "more",
    [
        {"base_url": "ftp://bank.example"},
        {"base_url": "https://user@bank.example"},
        {"base_url": "https://bank.example/a/../b"},
        {"auth": {"kind": "bearer"}},
        {"auth": {"kind": "basic", "secret": "x"}},
        {"auth": {"kind": "header", "secret": "x", "name": "Host"}},
        {"allow": [{"methods": ["GET"], "paths": ["v2"]}]},
        {"allow": [{"methods": ["GET"], "paths": ["/../x"]}]},
        {"allow": [{"methods": ["TRACE"], "paths": ["/x"]}]},
        {"headers": {"Host": "other"}},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"timeout": 0},
        {"timeout": 10_000},
    ],
)
async def test_a_connection_nothing_good_could_be_called_with_is_refused(admin, more):
    answer = await admin.post(f"{API}/connections", json=connection(**more))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


async def test_notices_are_ones_own_and_read_once(sessions, demo, sign_in):
    olha, taras = await sign_in("olha"), await sign_in("taras")
    ids = [new_id() for _ in range(3)]
    async with sessions.begin() as session:
        for id_ in ids:
            row = {"id": id_, "user_id": demo["users"]["olha@demo.local"], "text": "Look"}
            await session.execute(insert(Notice), row)
    page = (await olha.get(f"{API}/notices", params={"limit": 2})).json()
    assert [UUID(n["id"]) for n in page["items"]] == ids[:0:-1]
    rest = (await olha.get(f"{API}/notices", params={"after": page["next"]})).json()
    assert ([UUID(n["id"]) for n in rest["items"]], rest["next"], rest["unread"]) == (ids[:1], None, 3)
    assert (await taras.get(f"{API}/notices")).json()["items"] == []
    assert (await taras.post(f"{API}/notices/{ids[0]}/reading")).status_code == 404
    first = (await olha.post(f"{API}/notices/{ids[0]}/reading")).json()["read_at"]
    assert (await olha.post(f"{API}/notices/{ids[0]}/reading")).json()["read_at"] == first
    assert (await olha.get(f"{API}/notices", params={"unread": True})).json()["unread"] == 2
    assert (await olha.post(f"{API}/notices/reading")).json() == {"read": 2}


async def test_a_client_rates_once(desk, sessions):
    dialog, token = await desk.opened("c1"), secrets.token_urlsafe(32)
    async with sessions.begin() as session:
        expires_at = await session.scalar(text("SELECT now() + interval '3 days'"))
        await session.execute(
            insert(RatingRequest),
            {
                "id": new_id(), "dialog_id": dialog, "cycle": 1, "question": "How was it?", "expires_at": expires_at,
                "token_hash": digest_of_token(token),
            },
        )  # fmt: skip
    nobody = await desk.client("olha")
    assert (await nobody.post(f"/csat/{token}", json={"score": 6})).status_code == 422
    given = await nobody.post(f"/csat/{token}", json={"score": 5, "comment": "Дякую"})
    assert given.json() == {"score": 5, "scale": "1-5", "state": "received"}
    assert (await nobody.post(f"/csat/{token}", json={"score": 5})).status_code == 200
    again = await nobody.post(f"/csat/{token}", json={"score": 1})
    assert (again.status_code, again.json()["code"]) == (409, "rating_ended")
    assert (await desk.get("boss", f"/dialogs/{dialog}"))["rating"] == 5


async def test_who_guesses_tokens_has_to_wait(anonymous, app):
    codes = [(await anonymous.post(f"{API}/csat/{'x' * 40}", json={"score": 1})).status_code for _ in range(31)]
    assert set(codes[:30]) == {404}
    assert codes[30] == 429
    app.state.house.extras.pop("knocks.csat")


async def test_sending_stops_for_a_channel_and_everywhere(admin, sign_in):
    supervisor, olha = await sign_in("supervisor"), await sign_in("olha")
    stopped = (await supervisor.delete(f"{API}/channels/demo/sending")).json()["sending_stopped_at"]
    assert stopped is not None
    assert (await supervisor.delete(f"{API}/channels/demo/sending")).json()["sending_stopped_at"] == stopped
    assert (await olha.put(f"{API}/channels/demo/sending")).status_code == 403
    assert (await supervisor.put(f"{API}/channels/demo/sending")).json()["sending_stopped_at"] is None
    assert (await admin.patch(f"{API}/settings/sending_stopped", json={"value": True})).json()["value"] is True
    assert (await admin.patch(f"{API}/settings/sending_stopped", json={"value": 1})).status_code == 422
    assert (await admin.delete(f"{API}/settings/sending_stopped")).status_code == 204
    rated = await admin.patch(f"{API}/channels/demo", json={"rate": "25/s", "reply_window": 3600})
    assert (rated.json()["rate"], rated.json()["reply_window"]) == ("25/s", 3600)
    assert (await admin.patch(f"{API}/channels/demo", json={"rate": "fast"})).status_code == 422
    for no_scenario in ("no-such-process", "check-deposit"):
        assert (await admin.patch(f"{API}/channels/demo", json={"bot_process": no_scenario})).status_code == 422


async def test_a_contact_is_changed_and_the_change_is_kept(desk, sessions):
    dialog = await desk.opened("c1")
    contact = (await desk.get("olha", f"/dialogs/{dialog}"))["contact"]["id"]
    olha, light = await desk.client("olha"), await desk.client("light")
    body = {"consent": True, "external_id": "1234567", "fields": {"city": "Львів", "vip": True}}
    told = (await olha.patch(f"/contacts/{contact}", json=body)).json()
    assert (told["consent"], told["external_id"], told["fields"]) == (True, "1234567", body["fields"])
    told = (await olha.patch(f"/contacts/{contact}", json={"fields": {"vip": None}})).json()
    assert told["fields"] == {"city": "Львів"}
    assert (await light.patch(f"/contacts/{contact}", json=body)).status_code == 403
    assert (await olha.patch(f"/contacts/{contact}", json={"consent": None})).status_code == 422
    async with sessions() as session:
        changes = text("SELECT data FROM events WHERE kind = 'contact.changed' AND contact_id = :c ORDER BY id LIMIT 1")
        data = await session.scalar(changes, {"c": contact})
    assert data["before"] == {"consent": False, "external_id": None, "fields": {}}


async def test_a_secret_is_kept_sealed_and_shown_to_nobody(admin, sessions):
    value = "correct horse battery staple"
    told = await admin.put(f"{API}/secrets/bank-token", json={"value": value}, headers={"Idempotency-Key": "seal"})
    assert told.status_code == 200
    assert value not in told.text + (await admin.get(f"{API}/secrets")).text
    assert (
        await admin.post(f"{API}/connections", json=connection(auth={"kind": "bearer", "secret": "bank-token"}))
    ).is_success
    refused = await admin.delete(f"{API}/secrets/bank-token")
    assert (refused.status_code, refused.json()["connections"]) == (409, ["bank"])
    async with sessions() as session:
        for table in ("events", "command_results", "secrets"):
            found = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || :value || '%'")
            assert await session.scalar(found, {"value": value}) == 0
    assert (await admin.delete(f"{API}/connections/bank")).status_code == 204
    assert (await admin.delete(f"{API}/secrets/bank-token")).status_code == 204
    assert (await admin.put(f"{API}/secrets/bank-token", json={"value": ""})).status_code == 422
