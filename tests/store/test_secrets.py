"""Secrets at rest: sealed, bound to their names, told to nobody."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from domain.errors import InUseError, InvalidError, NotFoundError
from store import secrets
from store.engines import Sessions
from store.ids import new_id
from store.secrets import SecretLostError, Vault
from store.tables import Connection
from store.transactions import Actor, transact

VALUE = "tok-Ж-9f2c"
VAULT = Vault(b"a secret key of this installation")


async def put(sessions: Sessions, name: str, value: str = VALUE, vault: Vault = VAULT) -> None:
    me = new_id()
    await transact(sessions, lambda w: secrets.put(w, vault, name, value, by=me), actor=Actor("user", me))


async def got(sessions: Sessions, name: str, vault: Vault = VAULT) -> str:
    async with sessions() as session:
        return await secrets.get(session, vault, name)


async def test_a_secret_comes_back_and_its_row_does_not_show_it(sessions: Sessions) -> None:
    await put(sessions, "bank")
    assert await got(sessions, "bank") == VALUE
    async with sessions() as session:
        sealed = await session.scalar(text("SELECT sealed FROM secrets WHERE name = 'bank'"))
        assert VALUE.encode() not in bytes(sealed)
        told = await secrets.all_names(session)
        events = (await session.scalars(text("SELECT data::text FROM events WHERE kind = 'settings.changed'"))).all()
    assert VALUE not in str(told)
    assert [t["name"] for t in told] == ["bank"]
    assert any('"bank"' in e for e in events)
    assert not any(VALUE in e for e in events)
    assert VALUE not in repr(VAULT)


async def test_the_same_value_never_looks_the_same_twice() -> None:
    assert VAULT.seal("a", VALUE) != VAULT.seal("a", VALUE)


async def test_a_value_replaced_is_gone(sessions: Sessions) -> None:
    await put(sessions, "twice", "first")
    await put(sessions, "twice", "second")
    assert await got(sessions, "twice") == "second"


async def test_another_key_opens_nothing_but_a_former_one_does(sessions: Sessions) -> None:
    await put(sessions, "kept")
    other = b"another secret key"
    with pytest.raises(SecretLostError):
        await got(sessions, "kept", Vault(other))
    assert await got(sessions, "kept", Vault(other, [b"a secret key of this installation"])) == VALUE


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b"", lambda b: b"\x02" + b[1:]]
)
async def test_a_row_that_was_tampered_with_does_not_open(change: object) -> None:
    with pytest.raises(SecretLostError):
        VAULT.open("a", change(VAULT.seal("a", VALUE)))  # type: ignore[operator]


async def test_a_value_moved_to_another_name_does_not_open() -> None:
    with pytest.raises(SecretLostError):
        VAULT.open("b", VAULT.seal("a", VALUE))


async def test_a_secret_that_a_connection_uses_stays(sessions: Sessions) -> None:
    await put(sessions, "used")
    async with sessions.begin() as session:
        session.add(Connection(key="c1", name="C", base_url="http://x", auth={"kind": "bearer", "secret": "used"}))
    with pytest.raises(InUseError) as refusal:
        await transact(sessions, lambda w: secrets.remove(w, "used"))
    assert refusal.value.extra["connections"] == ["c1"]
    await sessions_sql(sessions, "DELETE FROM connections WHERE key = 'c1'")
    await transact(sessions, lambda w: secrets.remove(w, "used"))
    with pytest.raises(NotFoundError):
        await transact(sessions, lambda w: secrets.remove(w, "used"))
    with pytest.raises(NotFoundError):
        await got(sessions, "used")


async def sessions_sql(sessions: Sessions, statement: str) -> None:
    async with sessions.begin() as session:
        await session.execute(text(statement))


@pytest.mark.parametrize("value", ["", "a" * 8193, "\ud800"])
async def test_a_value_that_cannot_be_kept_is_refused(sessions: Sessions, value: str) -> None:
    with pytest.raises(InvalidError):
        await put(sessions, "odd", value)
