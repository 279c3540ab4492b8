"""What a connection lets through: paths that mean one thing, methods and headers on the list, addresses outside."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import may_connect
from domain.connections import (
    ConnectionFacts,
    HttpRequest,
    is_allowed,
    plain_path,
    query_of,
    require_connection,
    require_sendable,
    target_of,
)
from domain.errors import InvalidError

EVIL_PATHS = (
    "", "v2/clients", "http://evil.example/", "//evil.example/x", "///x", "\\\\evil.example\\x", "/a\\..\\b", "/a/../b",
    "/..", "/.", "/a/.", "/a/./b", "/a//b", "/a/%2e%2e/b", "/a/.%2e/b", "/a/%2E%2e", "/a/%252e%252e/b",
    "/a/%25252e%25252e/b", "/a/%25252525252525252e", "/a%2fb", "/a%2Fb", "/a%252fb", "/a%5cb", "/a%255cb", "/a/..;/b",
    "/a/..;x=1/b", "/a/%2e%2e;/b", "/a/%00", "/a\x00b", "/a/%0d%0aX-Evil:%201", "/a\r\nX-Evil: 1", "/a\nb", "/a\tb",
    "/a?x=1", "/a#b", "/a/\uff0e\uff0e/b", "/a\uff0fb", "/a/%EF%BC%8E%EF%BC%8E/b", "/a\uff3cb", "/a/\u2024\u2024/b",
    "/a/%", "/a/%zz", "/a/%u002e", "/a/%ff", "/a/%c0%ae%c0%ae/b", "/a/\u202eb", "/a/\ud800", "/" + "a" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("path", EVIL_PATHS)
def test_a_path_that_may_mean_something_else_is_refused(path: str) -> None:
    with pytest.raises(InvalidError):
        plain_path(path)


@pytest.mark.parametrize("path", ["/", "/v2/clients/1234567/deposits/last", "/a/b-c_d~e.f", "/@me", "/кв", "/a%20b/"])
def test_a_plain_path_is_left_as_it_is(path: str) -> None:
    assert plain_path(path) == path


@given(st.text(max_size=60))
def test_whatever_a_path_is_it_never_climbs_and_never_names_a_host(text: str) -> None:
    allow = ({"methods": ["GET"], "paths": ["/**"]},)
    connection = ConnectionFacts("bank", "https://bank.example/api/", allow=allow)
    try:
        target = target_of(connection, HttpRequest("GET", "/" + text))
    except InvalidError:
        return
    assert target.startswith("/api/")
    assert target.isascii()
    assert not any(c <= " " or c in "\\?#" for c in target)
    assert ".." not in target.split("/")
    assert "//" not in target


@pytest.mark.parametrize(
    ("pattern", "path", "is_let_through"),
    [
        ("/v2/clients/*", "/v2/clients/1", True),
        ("/v2/clients/*", "/v2/clients/1/deposits", False),
        ("/v2/clients/*", "/v2/clients/", True),
        ("/v2/clients/*/deposits/last", "/v2/clients/17/deposits/last", True),
        ("/v2/**", "/v2/clients/1/deposits", True),
        ("/v2/**", "/v3/clients", False),
        ("/v2/clients", "/v2/Clients", False),
        ("/v2/clients/*", "/v2/%63lients/1", True),
        ("/a.c", "/abc", False),
        ("/f*.json", "/file.json", True),
        ("/**/last", "/a/b/last", True),
        ("/a*a*a*a*a*a*a*a*a*a", "/" + "a" * 1900 + "b", False),
    ],
)
def test_allowed_paths_are_matched_by_segments(pattern: str, path: str, is_let_through: bool) -> None:
    assert is_allowed([{"methods": ["GET"], "paths": [pattern]}], "GET", path) is is_let_through


def test_a_method_that_is_not_listed_is_not_allowed() -> None:
    allow = [{"methods": ["GET"], "paths": ["/**"]}, {"methods": ["POST"], "paths": ["/orders"]}]
    assert is_allowed(allow, "POST", "/orders")
    assert not is_allowed(allow, "POST", "/clients")
    assert not is_allowed(allow, "DELETE", "/orders")
    assert not is_allowed([], "GET", "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Content-Length": "1"}, {"Transfer-Encoding": "chunked"}, {"Connection": "close"},
        {"Authorization": "Bearer x"}, {"Cookie": "a=b"}, {"Proxy-Authorization": "x"}, {"Idempotency-Key": "x"},
        {"X-Forwarded-For": "127.0.0.1"}, {"X-HTTP-Method-Override": "DELETE"}, {"X-Original-URL": "/admin"},
        {"X-Rewrite-URL": "/admin"}, {"X-Real-IP": "::1"}, {"Accept": "a\r\nX-Evil: 1"}, {"Accept": "a\nb"},
        {"X-A\r\nEvil": "1"}, {"X-A: b": "1"}, {"x-\x00": "1"}, {"X-A": "\x00"}, {"X-A": "ї"}, {"X-A": "a" * 5000},
    ],
)  # fmt: skip
def test_headers_that_steer_the_call_or_smuggle_others_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidError):
        require_sendable(headers)


def test_ordinary_headers_are_sent_in_small_letters_and_null_is_left_out() -> None:
    assert require_sendable({"Accept": "text/plain", "X-Trace": 7, "If-Match": None}) == {
        "accept": "text/plain",
        "x-trace": "7",
    }


def test_query_parameters_are_encoded_lists_repeat_and_null_is_left_out() -> None:
    assert query_of({"a": "x&b=1#/", "n": [1, 2], "no": None, "yes": True}) == "a=x%26b%3D1%23%2F&n=1&n=2&yes=true"


@pytest.mark.parametrize("query", [{"a": {"b": 1}}, {"a": [[1]]}, {"a": "\ud800"}])
def test_query_parameters_are_plain_values(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        query_of(query)


PRIVATE = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "::1", "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "2002:7f00:1::",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "198.18.0.1", "192.0.2.1", "fec0::1", "::7f00:1", "::10.0.0.1",
)  # fmt: skip
NEVER = (
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "fd00:ec2::254",
    "100.100.100.200", "168.63.129.16", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "not an address", "",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_the_houses_own_networks_are_for_internal_connections(address: str) -> None:
    assert not may_connect(address, internal=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fc00::1", "::ffff:10.0.0.1"])
def test_an_internal_connection_may_go_there(address: str) -> None:
    assert may_connect(address, internal=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("internal", [False, True])
def test_nobody_goes_to_metadata_link_local_or_multicast(address: str, internal: bool) -> None:
    assert not may_connect(address, internal=internal)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::"])
def test_the_world_is_open(address: str) -> None:
    assert may_connect(address, internal=False)


GOOD: dict[str, Any] = {
    "base_url": "https://bank.example/api",
    "auth": {"kind": "bearer", "secret": "bank"},
    "allow": [{"methods": ["GET"], "paths": ["/v2/**"]}],
    "headers": {"X-Client": "switchboard"},
    "timeout": 10,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "ftp://bank.example"), ("base_url", "https://user:pass@bank.example"), ("base_url", "https://"),
        ("base_url", "https://bank.example/?a=1"), ("base_url", "https://bank.example/#x"), ("base_url", 7),
        ("base_url", "https://bank.example:99999"), ("base_url", "https://bank.example/a/../b"),
        ("base_url", "https://bank.example\\@evil"), ("base_url", "https://bank example"), ("base_url", "https://б.укр"),
        ("auth", {}), ("auth", {"kind": "digest"}), ("auth", {"kind": "bearer"}),
        ("auth", {"kind": "bearer", "secret": "s", "token": "leaked"}), ("auth", {"kind": "basic", "secret": "s"}),
        ("auth", {"kind": "basic", "secret": "s", "user": "a:b"}), ("auth", {"kind": "bearer", "secret": 7}),
        ("auth", {"kind": "header", "secret": "s", "name": "Host"}),
        ("auth", {"kind": "header", "secret": "s", "name": "a b"}),
        ("allow", [{"methods": [], "paths": ["/"]}]), ("allow", [{"methods": ["TRACE"], "paths": ["/"]}]),
        ("allow", [{"methods": ["GET"], "paths": ["../x"]}]), ("allow", ["/v2"]),
        ("allow", [{"methods": ["GET"], "paths": ["/***"]}]), ("allow", [{"methods": ["GET"], "paths": [7]}]),
        ("headers", {"Host": "x"}), ("headers", {"A": "b\r\nc: d"}), ("headers", {"A": 7}),
        ("timeout", 0), ("timeout", 61), ("timeout", True), ("timeout", "10"),
    ],
)  # fmt: skip
def test_a_connection_nothing_could_be_called_with_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidError) as refusal:
        require_connection(**{**GOOD, field: value})
    assert refusal.value.extra["field"] in (field, "path")


def test_a_good_connection_passes() -> None:
    require_connection(**GOOD)
