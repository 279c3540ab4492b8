"""Signing in and out: cookies, CSRF values, bearer tokens, limits on guessing."""

import asyncio

import pytest
from sqlalchemy import text

from tests.api.conftest import PASSWORD, TOKEN

SESSION = "/api/v1/session"
ME = "/api/v1/me"


@pytest.fixture(autouse=True)
async def no_attempts_yet(sessions):
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM sign_in_attempts"))


async def test_a_cookie_nobody_can_read_from_a_script(anonymous, open_client):
    client = open_client()
    answer = await client.post(SESSION, json={"email": " OLHA@demo.local", "password": PASSWORD})
    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in cookie.lower()
    me = (await client.get(ME)).json()
    assert me["email"] == "olha@demo.local"
    assert me["roles"] == ["operator"]
    assert me["teams"] == ["support", "vip"]
    assert "dialog.take" in me["permissions"]
    assert me["csrf"] == answer.json()["csrf"]


async def test_only_the_digest_of_a_cookie_is_kept(open_client, sessions):
    client = open_client()
    await client.post(SESSION, json={"email": "olha@demo.local", "password": PASSWORD})
    [cookie] = client.cookies.values()
    async with sessions() as session:
        assert not await session.scalar(
            text("SELECT count(*) FROM sessions WHERE token_hash = :c"), {"c": cookie.encode()}
        )


async def test_whatever_changes_something_needs_the_csrf_value(sign_in):
    client = await sign_in("olha")
    path = "/api/v1/me/preferences"
    right = client.headers.pop("X-CSRF-Token")
    refused = await client.patch(path, json={"locale": "en"})
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_csrf")
    for wrong in ("", "x", right + "x", "є".encode()):
        refused = await client.patch(path, json={"locale": "en"}, headers={"X-CSRF-Token": wrong})
        assert refused.status_code == 403, wrong
    done = await client.patch(
        path, json={"locale": "en", "preferences": {"sound": True}}, headers={"X-CSRF-Token": right}
    )
    assert done.json() == {"locale": "en", "preferences": {"sound": True}}


async def test_signing_out_ends_the_session(sign_in, open_client):
    client = await sign_in("taras")
    [cookie] = client.cookies.values()
    assert (await client.delete(SESSION)).status_code == 204
    again = open_client(Cookie=f"switchboard_session={cookie}")
    assert (await again.get(ME)).status_code == 401


async def test_an_expired_session_is_none(sign_in, sessions):
    client = await sign_in("taras")
    async with sessions.begin() as session:
        await session.execute(text("UPDATE sessions SET expires_at = now() - interval '1 second'"))
    assert (await client.get(ME)).status_code == 401


@pytest.mark.parametrize("credential", ["Bearer nothing", "Bearer", "Basic x", "bearer  "])
async def test_an_unknown_credential_is_nobody(open_client, credential):
    answer = await open_client(Authorization=credential).get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_demo_token_is_the_administrators(open_client):
    me = (await open_client(Authorization=f"Bearer {TOKEN}").get(ME)).json()
    assert me["email"] == "admin@demo.local"
    assert me["csrf"] is None


async def test_five_wrong_passwords_close_the_door_for_that_person_only(anonymous):
    async def attempt(email, password):
        return (await anonymous.post(SESSION, json={"email": email, "password": password})).status_code

    assert [await attempt("olha@demo.local", "wrong") for _ in range(5)] == [401] * 5
    assert await attempt("OLHA@demo.local", PASSWORD) == 429
    assert await attempt("taras@demo.local", PASSWORD) == 201


async def test_a_closed_door_says_truly_when_it_opens(anonymous, sessions):
    body = {"email": "olha@demo.local", "password": "wrong"}
    for _ in range(5):
        await anonymous.post(SESSION, json=body)
    async with sessions.begin() as session:
        await session.execute(
            text(
                "UPDATE sign_in_attempts SET at = at - interval '14 minutes'"
                " WHERE id = (SELECT min(id) FROM sign_in_attempts WHERE subject = 'olha@demo.local')"
            )
        )
    refused = await anonymous.post(SESSION, json=body)
    assert refused.status_code == 429
    assert 40 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"])


async def test_twenty_guesses_from_one_address_close_the_door_for_it(anonymous):
    codes = [
        (await anonymous.post(SESSION, json={"email": f"nobody{n}@demo.local", "password": "x"})).status_code
        for n in range(21)
    ]
    assert codes == [401] * 20 + [429]
    refused = await anonymous.post(SESSION, json={"email": "taras@demo.local", "password": PASSWORD})
    assert refused.status_code == 429
    assert refused.headers["retry-after"]


async def test_guesses_made_at_once_are_counted_too(anonymous):
    answers = await asyncio.gather(
        *(anonymous.post(SESSION, json={"email": "olha@demo.local", "password": f"guess {n}"}) for n in range(15))
    )
    codes = sorted(a.status_code for a in answers)
    assert codes == [401] * 5 + [429] * 10


async def test_many_right_sign_ins_at_once_all_succeed(anonymous):
    answers = await asyncio.gather(
        *(anonymous.post(SESSION, json={"email": "olha@demo.local", "password": PASSWORD}) for _ in range(12))
    )
    assert {a.status_code for a in answers} == {201}


async def test_unknown_people_take_as_long_as_wrong_passwords(anonymous):
    loop = asyncio.get_running_loop()

    async def took(email):
        began = loop.time()
        answer = await anonymous.post(SESSION, json={"email": email, "password": "wrong"})
        assert answer.status_code == 401
        return loop.time() - began

    await took("nobody@demo.local")
    known = min([await took("iryna@demo.local") for _ in range(3)])
    unknown = min([await took("nobody@demo.local") for _ in range(3)])
    assert 0.4 < unknown / known < 2.5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"email": "a\\u0000@b", "password": "x"}',
        b'{"email": "a@b", "password": "\\ud800"}',
        b'{"email": "a@b", "password": ""}',
        b'{"email": 1' + b"0" * 5000 + b', "password": "x"}',
        b'{"email": "\xff\xfe", "password": "x"}',
        b'{"email": "a@b", "password": "x", "\\ud800": 1}',
    ],
)
async def test_nonsense_is_refused_as_such(anonymous, body):
    answer = await anonymous.post(SESSION, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] in ("invalid", "malformed")


async def test_a_body_too_large_is_refused_with_and_without_its_length(anonymous):
    async def pieces():
        for _ in range(20):
            yield b"x" * 100_000

    declared = await anonymous.post(SESSION, content=b"x" * 1_000_001)
    streamed = await anonymous.post(SESSION, content=pieces(), headers={"Content-Type": "application/json"})
    assert [declared.status_code, streamed.status_code] == [413, 413]


async def test_readiness_names_the_part_that_is_away(anonymous, bell):
    assert (await anonymous.get("/healthz")).json() == {"status": "alive"}
    assert (await anonymous.get("/readyz")).status_code == 200
    bell.is_away = True
    answer = await anonymous.get("/readyz")
    bell.is_away = False
    assert (answer.status_code, answer.json()["part"]) == (503, "temporal")


async def test_every_answer_carries_safe_headers_and_an_id(anonymous):
    answer = await anonymous.get("/api/v1/me", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    odd = await anonymous.get("/healthz", headers={"X-Request-ID": "a b\u00e9".encode()})
    assert odd.headers["x-request-id"] != "a b\u00e9"
    assert (await anonymous.get("/api/v1/x%00y")).status_code == 422
