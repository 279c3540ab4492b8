"""Calls of definitions to outside systems on real sockets: what is sent, what is refused, what failures mean."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.connections import CallFailedError, ConnectionFacts, HttpAnswer, HttpRequest
from domain.picks import HIDDEN
from gateways.connections import HttpCaller
from tests.outside import Outside, Said

SECRET = "s3cret-of-the-bank"
ALL = ({"methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "paths": ["/**"]},)


@pytest.fixture
async def bank() -> AsyncIterator[Outside]:
    made = await Outside().start()
    yield made
    await made.stop()


def connection(bank: Outside, **more: Any) -> ConnectionFacts:
    return ConnectionFacts(**{"key": "bank", "base_url": bank.url, "allow": ALL, "internal": True, **more})


async def call(facts: ConnectionFacts, method: str = "GET", path: str = "/v2/x", **more: Any) -> HttpAnswer:
    return await HttpCaller().call(facts, SECRET, HttpRequest(method, path, **more))


async def failed(facts: ConnectionFacts, method: str = "GET", path: str = "/v2/x", **more: Any) -> CallFailedError:
    with pytest.raises(CallFailedError) as failure:
        await call(facts, method, path, **more)
    assert SECRET not in f"{failure.value!r} {failure.value.message} {failure.value.details}"
    return failure.value


async def test_a_call_sends_what_was_asked_and_answers_what_was_picked(bank: Outside) -> None:
    bank.usual = Said(200, {"items": [{"state": "open", "sum": 1.5}]}, {"ETag": "v7", "Server": "x"})
    answer = await call(
        connection(bank, base_url=f"{bank.url}/api/", keep_headers=frozenset({"etag"}), headers={"X-Client": "sb"}),
        "POST",
        "/v2/orders/кв 1",
        query={"a": "1&2"},
        body={"text": "привіт"},
        pick={"state": "body.items[0].state", "tag": "headers.etag", "who": "headers.server", "code": "status_code"},
    )
    assert answer == HttpAnswer(200, {"state": "open", "tag": "v7", "who": None, "code": 200})
    [asked] = bank.asked
    assert asked.method == "POST"
    assert asked.target == "/api/v2/orders/%D0%BA%D0%B2%201?a=1%262"
    assert asked.json == {"text": "привіт"}
    assert asked.headers["host"] == f"127.0.0.1:{bank.port}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-client"] == "sb"
    assert asked.headers["accept-encoding"] == "identity"
    assert "idempotency-key" not in asked.headers


@pytest.mark.parametrize(
    ("auth", "seen"),
    [
        ({"kind": "bearer"}, ("authorization", f"Bearer {SECRET}")),
        ({"kind": "basic", "user": "u"}, ("authorization", "Basic dTpzM2NyZXQtb2YtdGhlLWJhbms=")),
        ({"kind": "header", "name": "X-Api-Key"}, ("x-api-key", SECRET)),
    ],
)
async def test_credentials_travel_in_headers(bank: Outside, auth: dict[str, str], seen: tuple[str, str]) -> None:
    await call(connection(bank, auth={**auth, "secret": "bank"}), headers={"X-Other": "1"})
    assert bank.asked[0].headers[seen[0]] == seen[1]


async def test_a_credential_in_the_query_and_its_echo_are_told_to_nobody(
    bank: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bank.usual = Said(200, {"you": f"sent {SECRET}", SECRET: 1, "basic": "dTpzM2NyZXQtb2YtdGhlLWJhbms="})
    answer = await call(connection(bank, auth={"kind": "query", "name": "key", "secret": "b"}), pick={"all": "body"})
    assert bank.asked[0].target == f"/v2/x?key={SECRET}"
    assert SECRET not in str(answer)
    assert HIDDEN in str(answer)
    bank.usual = Said(500, {"you": SECRET})
    await failed(connection(bank, auth={"kind": "query", "name": "key", "secret": "b"}))
    assert SECRET not in caplog.text


async def test_a_missing_secret_sends_nothing(bank: Outside) -> None:
    facts = connection(bank, auth={"kind": "bearer", "secret": "bank"})
    for secret in (None, "", "a\r\nX-Evil: 1"):
        with pytest.raises(CallFailedError) as failure:
            await HttpCaller().call(facts, secret, HttpRequest("GET", "/"))
        assert (failure.value.type, failure.value.reach) == ("invalid", "never")
    assert bank.asked == []


@pytest.mark.parametrize(
    ("more", "type"),
    [
        ({"path": "/../admin"}, "invalid"),
        ({"path": "http://evil.example/"}, "invalid"),
        ({"headers": {"Host": "evil.example"}}, "invalid"),
        ({"headers": {"X-A": "b\r\nEvil: 1"}}, "invalid"),
        ({"headers": {"Authorization": "mine"}}, "invalid"),
        ({"pick": {"x": "body[evil]"}}, "invalid"),
        ({"method": "POST", "body": {"a": float("nan")}}, "invalid"),
        ({"method": "POST", "body": {"a": "\ud800"}}, "invalid"),
        ({"method": "POST", "body": "a" * 70_000}, "limit"),
    ],
)
async def test_what_may_not_be_sent_is_not(bank: Outside, more: dict[str, Any], type: str) -> None:
    failure = await failed(connection(bank), **more)
    assert (failure.type, failure.reach) == (type, "never")
    assert bank.asked == []


async def test_methods_and_paths_off_the_list_are_forbidden(bank: Outside) -> None:
    facts = connection(bank, allow=({"methods": ["GET"], "paths": ["/v2/**"]},))
    assert (await failed(facts, "POST")).type == "forbidden"
    assert (await failed(facts, "GET", "/v3/x")).type == "forbidden"
    assert bank.asked == []


@pytest.mark.parametrize(
    ("status", "type"),
    [(204, "invalid"), (302, "invalid"), (307, "invalid"), (400, "invalid"), (401, "forbidden"), (403, "forbidden"),
     (404, "not_found"), (409, "invalid"), (422, "invalid"), (429, "rate_limited"), (500, "unavailable"),
     (503, "unavailable")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_status_nobody_expects_has_a_meaning(bank: Outside, method: str, status: int, type: str) -> None:
    bank.usual = Said(status, b"")
    failure = await failed(connection(bank), method)
    assert (failure.type, failure.reach, failure.details) == (type, "answered", {"status": status})


async def test_an_expected_status_is_no_failure(bank: Outside) -> None:
    bank.usual = Said(404, {"error": "no such client"})
    answer = await call(connection(bank), expect=(200, 404), pick={"state": "body.state"})
    assert answer == HttpAnswer(404, {"state": None})


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("999999", 3600), ("-1", None), ("soon", None), ("²", None)])
async def test_a_limited_caller_is_told_how_long_to_wait(bank: Outside, said: str, seconds: int | None) -> None:
    bank.usual = Said(429, b"", {"Retry-After": said.encode().decode("latin-1")})
    assert (await failed(connection(bank))).details.get("retry_after") == seconds


async def test_redirects_are_never_followed(bank: Outside) -> None:
    bank.usual = Said(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})
    failure = await failed(connection(bank))
    assert failure.type == "invalid"
    assert "redirect" in failure.message
    answer = await call(connection(bank), expect=(302,), pick={"to": "headers.location"})
    assert answer == HttpAnswer(302, {"to": None})
    assert len(bank.asked) == 2


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"],
)
async def test_private_addresses_are_refused_however_they_are_written(bank: Outside, host: str) -> None:
    facts = connection(bank, base_url=f"http://{host}:{bank.port}", internal=False)
    failure = await failed(facts)
    assert (failure.type, failure.reach) == ("forbidden", "never")
    assert bank.asked == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fd00::1"], ["169.254.169.254"], []]
)
async def test_names_that_lead_to_private_addresses_are_refused(bank: Outside, addresses: list[str]) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return addresses

    facts = connection(bank, base_url="http://bank.example", internal=False)
    with pytest.raises(CallFailedError) as failure:
        await HttpCaller(resolve).call(facts, None, HttpRequest("GET", "/"))
    assert (failure.value.type, failure.value.reach) == ("forbidden", "never")


async def test_metadata_is_refused_to_an_internal_connection_too(bank: Outside) -> None:
    assert (await failed(connection(bank, base_url="http://169.254.169.254"))).type == "forbidden"


async def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(bank: Outside) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    facts = connection(bank, base_url=f"http://bank.example:{bank.port}")
    assert (await HttpCaller(rebinding).call(facts, None, HttpRequest("GET", "/"))).status == 200
    assert asked == ["bank.example"]
    assert bank.asked[0].headers["host"] == f"bank.example:{bank.port}"


async def test_a_host_that_nobody_knows_is_unavailable(bank: Outside) -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(CallFailedError) as failure:
        await HttpCaller(nowhere).call(connection(bank), None, HttpRequest("POST", "/"))
    assert (failure.value.type, failure.value.reach) == ("unavailable", "never")


async def test_a_closed_door_is_unavailable_and_nothing_was_sent(bank: Outside) -> None:
    await bank.stop()
    failure = await failed(connection(bank), "POST")
    assert (failure.type, failure.reach, failure.needs_attention) == ("unavailable", "never", False)


async def test_a_dropped_connection_after_sending_is_doubtful_unless_it_may_be_repeated(bank: Outside) -> None:
    bank.usual = Said(0)
    doubt = await failed(connection(bank), "POST", body={})
    assert (doubt.type, doubt.reach, doubt.needs_attention) == ("unknown_effect", "lost", True)
    assert (await failed(connection(bank), "GET")).type == "unavailable"
    assert (await failed(connection(bank), "POST", idempotency_key="run:1:step")).type == "unavailable"
    assert bank.asked[-1].headers["idempotency-key"] == "run:1:step"


@pytest.mark.parametrize("said", [Said(hangs=True), Said(200, {"state": "a" * 100}, drips=True)])
async def test_a_slow_answer_ends_at_the_time_out(bank: Outside, said: Said) -> None:
    bank.usual = said
    before = time.monotonic()
    assert (await failed(connection(bank), timeout=0.4)).type == "timeout"
    assert (await failed(connection(bank), "POST", timeout=0.4)).type == "unknown_effect"
    assert (await failed(connection(bank, timeout=0.4), timeout=60.0)).type == "timeout"
    assert time.monotonic() - before < 3


async def test_of_a_long_body_no_more_than_the_limit_is_read(bank: Outside) -> None:
    bank.usual = Said(200, b"a" * (300 * 1024))
    failure = await failed(connection(bank), pick={"all": "body"})
    assert (failure.type, failure.reach) == ("limit", "taken")
    endless = Said(200, b"a" * 5_000_000, {"Content-Length": str(10**12)})
    bank.script = [endless]
    assert (await call(connection(bank), pick={"code": "status_code"})).picked == {"code": 200}


async def test_a_picked_value_has_a_longest_size(bank: Outside) -> None:
    bank.usual = Said(200, ["a" * 1000] * 100)
    assert (await failed(connection(bank), pick={"all": "body"})).type == "limit"


async def test_a_compressed_answer_is_not_opened(bank: Outside) -> None:
    bank.usual = Said(200, b"\x1f\x8b" + b"0" * 100, {"Content-Encoding": "gzip"})
    assert (await failed(connection(bank), pick={"all": "body"})).type == "invalid"


@pytest.mark.parametrize(
    ("body", "picked"),
    [
        (b"", ""),
        (b"plain", "plain"),
        (b"{", "{"),
        (b"[1e999]", "[1e999]"),
        (b"[NaN]", "[NaN]"),
        (b'"\\ud800\\u0000"', "?\ufffd"),
        (b"[" * 100_000, None),
        (b'{"a":' * 70 + b"1" + b"}" * 70, None),
        (b"9" * 5000, "9" * 5000),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
async def test_odd_bodies_become_texts_or_are_refused(bank: Outside, body: bytes, picked: str | None) -> None:
    bank.usual = Said(200, body)
    if picked is None:
        assert (await failed(connection(bank), pick={"all": "body"})).type in ("limit", "invalid")
    else:
        assert (await call(connection(bank), pick={"all": "body"})).picked == {"all": picked}


async def test_an_answer_that_is_no_http_is_unavailable(bank: Outside) -> None:
    bank.usual = Said(200, b"", {"A b": "\x00"})
    assert (await failed(connection(bank))).type == "unavailable"
    assert (await failed(connection(bank), "DELETE")).type == "unknown_effect"


async def test_the_list_of_hidden_names_applies_to_what_is_picked(bank: Outside) -> None:
    bank.usual = Said(200, {"card": "4111", "owner": {"Phone": "+380"}})
    answer = await call(
        connection(bank, redact=frozenset({"card", "phone"})), pick={"card": "body.card", "owner": "body.owner"}
    )
    assert answer.picked == {"card": HIDDEN, "owner": {"Phone": HIDDEN}}


async def test_head_has_no_body(bank: Outside) -> None:
    assert (await call(connection(bank), "HEAD", pick={"all": "body"})).picked == {"all": ""}
