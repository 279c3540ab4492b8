"""Settings over HTTP: rights that count at once, secrets told once, keys that make a change happen once."""

import json

import pytest
from sqlalchemy import text

from tests.api.conftest import PASSWORD

API = "/api/v1"
JSON = {"Content-Type": "application/json"}


async def test_a_granted_right_counts_from_the_next_request(admin, sign_in):
    olha = await sign_in("olha")
    role = (await admin.get(f"{API}/roles/operator")).json()
    assert (await olha.get(f"{API}/settings")).status_code == 403
    rights = [*role["permissions"], "settings.manage"]
    assert (await admin.patch(f"{API}/roles/operator", json={"permissions": rights})).status_code == 200
    assert (await olha.get(f"{API}/settings")).status_code == 200
    await admin.patch(f"{API}/roles/operator", json={"permissions": role["permissions"]})
    assert (await olha.get(f"{API}/settings")).status_code == 403


async def test_a_deactivated_person_is_out_and_cannot_come_back(admin, sign_in, anonymous):
    person = {"email": "new@demo.local", "name": "New", "password": PASSWORD, "roles": ["operator"], "limit": 3}
    made = await admin.post(f"{API}/users", json=person)
    assert made.status_code == 201
    assert made.json()["limit"] == 3
    client = await sign_in("new@demo.local")
    token = (await client.post(f"{API}/tokens", json={"name": "mine"})).json()["token"]
    assert (await admin.delete(f"{API}/users/{made.json()['id']}")).status_code == 204
    assert (await client.get(f"{API}/me")).status_code == 401
    assert (await anonymous.get(f"{API}/me", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    answer = await anonymous.post(f"{API}/session", json={"email": "new@demo.local", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    told = (await admin.get(f"{API}/users/{made.json()['id']}")).json()
    assert (told["active"], told["status"]) == (False, "offline")


async def test_a_new_password_ends_sessions(admin, sign_in, demo):
    taras = await sign_in("taras")
    path = f"{API}/users/{demo['users']['taras@demo.local']}"
    assert (await admin.patch(path, json={"password": "another password"})).status_code == 200
    assert (await taras.get(f"{API}/me")).status_code == 401
    await sign_in("taras", "another password")


async def test_the_last_administrator_stays(admin, demo):
    answer = await admin.delete(f"{API}/users/{demo['users']['admin@demo.local']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


async def test_a_narrow_token_does_only_that(admin, open_client):
    made = (await admin.post(f"{API}/tokens", json={"name": "narrow", "scopes": ["teams.read"]})).json()
    narrow = open_client(Authorization=f"Bearer {made['token']}")
    assert (await narrow.get(f"{API}/teams")).status_code == 200
    assert (await narrow.get(f"{API}/users")).status_code == 403
    listed = (await admin.get(f"{API}/tokens")).json()["items"]
    assert made["id"] in {t["id"] for t in listed}
    assert not any("token" in t for t in listed)
    assert (await admin.delete(f"{API}/tokens/{made['id']}")).status_code == 204
    assert (await narrow.get(f"{API}/teams")).status_code == 401


@pytest.mark.parametrize(
    "narrowed", [{"scopes": ["teams.read"]}, {"scopes": ["users.manage"]}, {"expires_at": "2099-01-01T00:00:00Z"}]
)
async def test_a_narrow_or_expiring_token_leaves_nothing_behind_and_kills_no_other(admin, open_client, narrowed):
    other = (await admin.post(f"{API}/tokens", json={"name": "other"})).json()
    made = (await admin.post(f"{API}/tokens", json={"name": "narrow", **narrowed})).json()
    narrow = open_client(Authorization=f"Bearer {made['token']}")
    for refused in (
        await narrow.post(f"{API}/tokens", json={"name": "child", **narrowed}),
        await narrow.delete(f"{API}/tokens/{other['id']}"),
        await narrow.patch(f"{API}/me/preferences", json={"locale": "en"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    assert (await narrow.delete(f"{API}/tokens/{made['id']}")).status_code == 204
    assert (await narrow.get(f"{API}/me")).status_code == 401
    assert (await admin.delete(f"{API}/tokens/{other['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("users/{olha}", "limit"),
        ("users/{olha}", "active"),
        ("teams/support", "transfer_window"),
        ("channels/demo", "reopen_window"),
        ("topics/payment", "priority"),
        ("roles/operator", "permissions"),
        ("tags/vip", "name"),
    ],
)
async def test_null_is_refused_where_it_means_nothing(admin, demo, path, field):
    olha = demo["users"]["olha@demo.local"]
    refused = await admin.patch(f"{API}/{path.format(olha=olha)}", json={field: None})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid"), refused.text
    assert refused.json()["errors"][0]["pointer"] == f"/body/{field}"
    assert (await admin.patch(f"{API}/{path.format(olha=olha)}", json={})).status_code == 200


async def test_a_key_makes_a_change_happen_once(admin, sessions):
    key = {"Idempotency-Key": "make-a-tag"}
    first = await admin.post(f"{API}/tags", json={"key": "once", "name": "Once"}, headers=key)
    again = await admin.post(f"{API}/tags", json={"key": "once", "name": "Once"}, headers=key)
    other = await admin.post(f"{API}/tags", json={"key": "twice", "name": "Once"}, headers=key)
    assert [first.status_code, again.status_code, other.status_code] == [201, 201, 422]
    assert first.json() == again.json()
    assert other.json()["code"] == "key_reused"
    refused = {"Idempotency-Key": "refused"}
    codes = [(await admin.post(f"{API}/tags", json={"key": "once", "name": "x"}, headers=refused)).status_code]
    await admin.delete(f"{API}/tags/once")
    codes.append((await admin.post(f"{API}/tags", json={"key": "once", "name": "x"}, headers=refused)).status_code)
    assert codes == [409, 409]


async def test_secrets_are_told_once_and_kept_nowhere(admin, sessions):
    key = {"Idempotency-Key": "make-a-channel"}
    body = {"key": "site", "kind": "widget", "name": "Site", "team": "support"}
    made = (await admin.post(f"{API}/channels", json=body, headers=key)).json()
    again = (await admin.post(f"{API}/channels", json=body, headers=key)).json()
    assert made["token"]
    assert again == made | {"token": None}
    assert "token" not in (await admin.get(f"{API}/channels/site")).json()
    rotated = (await admin.post(f"{API}/channels/site/token")).json()["token"]
    message = {"external_id": "1", "from": {"id": "c"}, "text": "hello"}
    codes = [
        (await admin.post(f"{API}/channels/site/inbound", json=message, headers={"X-Channel-Token": t})).status_code
        for t in (made["token"], rotated)
    ]
    assert codes == [401, 202]
    async with sessions() as session:
        for table in ("events", "command_results", "channels", "tokens"):
            for secret in (made["token"], rotated):
                found = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || :secret || '%'")
                assert await session.scalar(found, {"secret": secret}) == 0
    refused = await admin.delete(f"{API}/channels/site")
    assert refused.json()["where"] == {"dialogs": 1, "clients": 1}


async def test_every_channel_kind(admin):
    kinds = (
        "telegram", "viber", "whatsapp", "facebook", "instagram", "facebook_comments", "instagram_comments", "email",
        "widget", "telephony", "sms",
    )  # fmt: skip
    for kind in kinds:
        body = {"key": f"a-{kind}", "kind": kind, "name": kind}
        assert (await admin.post(f"{API}/channels", json=body)).status_code == 201
        assert (await admin.delete(f"{API}/channels/a-{kind}")).status_code == 204
    assert (await admin.post(f"{API}/channels", json={"key": "b", "kind": "fax", "name": "b"})).status_code == 422


async def test_topics(admin):
    body = {
        "key": "refunds",
        "name": "Повернення",
        "parent": "payment",
        "aliases": ["гроші"],
        "teams": ["sales", "support"],
    }
    made = await admin.post(f"{API}/topics", json=body)
    assert made.status_code == 201
    assert made.json()["teams"] == ["sales", "support"]
    assert (await admin.patch(f"{API}/topics/payment", json={"parent": "refunds"})).status_code == 422
    assert (await admin.patch(f"{API}/topics/payment", json={"aliases": ["гроші"]})).status_code == 409
    assert (await admin.patch(f"{API}/topics/refunds", json={"required": True})).json()["required"] is True
    refused = await admin.delete(f"{API}/topics/payment")
    assert (refused.status_code, refused.json().get("where", refused.text)) == (409, {"topics": ["refunds"]})
    assert (await admin.patch(f"{API}/topics/refunds", json={"parent": None})).json()["parent"] is None
    assert (await admin.delete(f"{API}/topics/refunds")).status_code == 204
    assert (await admin.get(f"{API}/topics/refunds")).status_code == 404


async def test_settings(admin):
    assert (await admin.get(f"{API}/settings/default_team")).json()["value"] == "support"
    assert (await admin.patch(f"{API}/settings/default_team", json={"value": "nowhere"})).status_code == 422
    assert (await admin.patch(f"{API}/settings/session_hours", json={"value": 3})).json()["value"] == 3
    assert (await admin.delete(f"{API}/settings/session_hours")).status_code == 204
    assert (await admin.get(f"{API}/settings/session_hours")).json()["value"] == 12
    assert (await admin.patch(f"{API}/settings/no_such", json={"value": 3})).status_code == 404


async def test_files_are_read_with_the_rights_of_their_dialog_and_never_shown_in_place(admin, sign_in, sessions, demo):
    olha, taras, ops = await sign_in("olha"), await sign_in("iryna"), await sign_in("ops")
    made = await olha.post(
        f"{API}/attachments",
        params={"name": "рахунок.html"},
        content=b"<script>",
        headers={"Content-Type": "text/html"},
    )
    assert made.json() | {"id": ""} == {"id": "", "name": "рахунок.html", "media_type": "text/html", "size": 8}
    path = f"{API}/attachments/{made.json()['id']}"
    assert [(await c.get(path)).status_code for c in (olha, taras, ops)] == [200, 404, 403]
    answer = await olha.get(path)
    assert answer.content == b"<script>"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE attachments SET dialog_id = (SELECT id FROM dialogs LIMIT 1)"),
        )
    assert (await taras.get(path)).status_code == 200
    big = await olha.post(f"{API}/attachments", params={"name": "big"}, content=b"x" * 10_000_001)
    assert (big.status_code, big.json()["code"]) == (413, "too_large")
    assert (await olha.post(f"{API}/attachments", params={"name": "empty"})).status_code == 422
    assert (await olha.post(f"{API}/attachments", params={"name": "../x"}, content=b"x")).status_code == 422


async def test_a_banned_client_opens_nothing(admin, sign_in, sessions, demo):
    supervisor, light = await sign_in("supervisor"), await sign_in("light")
    token = (await admin.post(f"{API}/channels/demo/token")).json()["token"]

    async def write(number):
        body = {"external_id": f"ban {number}", "from": {"id": "rude", "name": "Rude"}, "text": "hello"}
        answer = await admin.post(f"{API}/channels/demo/inbound", json=body, headers={"X-Channel-Token": token})
        return answer.json()

    dialog = (await write(1))["dialog_id"]
    async with sessions() as session:
        contact = await session.scalar(text("SELECT contact_id FROM dialogs WHERE id = :d"), {"d": dialog})
    path = f"{API}/contacts/{contact}"
    assert (await supervisor.put(f"{path}/ban", json={"reason": "rude"})).json()["changed"] is True
    assert (await write(2))["result"] == "banned"
    card = (await light.get(path)).json()
    assert (card["banned"], card["ban_reason"], card["identities"][0]["address"]) == (True, "rude", "rude")
    assert (await supervisor.delete(f"{path}/ban")).json()["banned"] is False
    assert (await write(3))["dialog_id"] == dialog
    assert (await supervisor.put(f"{path}/tags/vip")).json()["tags"] == ["vip"]
    assert (await supervisor.put(f"{path}/tags/unknown")).status_code == 422
    assert (await supervisor.delete(f"{path}/tags/vip")).json()["tags"] == []


async def test_each_change_stands_in_the_audit(admin, sessions, demo):
    await admin.patch(f"{API}/teams/sales", json={"transfer_window": 77})
    async with sessions() as session:
        newest = "FROM events WHERE kind = 'settings.changed' ORDER BY id DESC LIMIT 1"
        row = (await session.execute(text(f"SELECT actor_id, address, data {newest}"))).one()
    assert row.actor_id == demo["users"]["admin@demo.local"]
    assert row.address == "127.0.0.1"
    assert row.data == {
        "what": "team", "key": "sales", "before": {"transfer_window": 120}, "after": {"transfer_window": 77},
    }  # fmt: skip


NONSENSE = ["\x00", "a\x00b", "\ud800", "", " ", "x" * 20_000, -1, 10**30, 1.5, None, [], {}, True, float("nan")]


DOORS = [
    "users", "roles", "teams", "topics", "tags", "channels", "settings", "tokens", "connections", "quick-replies",
    "message-templates", "folders", "filters",
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
async def test_nonsense_is_never_our_fault(admin, door):
    schema = (await admin.get(f"{API}/openapi.json")).json()
    ref = schema["paths"][f"{API}/{door}"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = schema["components"]["schemas"][ref.rsplit("/", 1)[1]]["properties"]
    good = {
        "key": "good", "name": "Good", "email": "good@demo.local", "password": "good password", "kind": "sms",
        "value": 5, "text": "Good day", "base_url": "https://good.example", "criteria": {},
    }  # fmt: skip
    base = {name: value for name, value in good.items() if name in fields}
    for number, name in enumerate(fields):
        for nonsense in NONSENSE:
            for wrapped in (nonsense, [nonsense], {str(nonsense)[:50]: nonsense}):
                body = {**base, name: wrapped}
                answer = await admin.post(f"{API}/{door}", content=json.dumps(body), headers=JSON)
                assert answer.status_code in (201, 400, 403, 409, 422), (number, name, wrapped, answer.text)
