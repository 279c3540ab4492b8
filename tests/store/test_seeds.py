"""The demo is made once; later starts change nothing."""

import pytest
from sqlalchemy import func, select

from domain.clocks.policies import body_of, policy_of
from domain.errors import ConflictError, SignInError
from domain.permissions import GRANTS, Permission
from store.demo_promises import STANDARD
from store.engines import engine_for, sessions_of
from store.passwords import hash_password
from store.seeds import PEOPLE, create_admin, seed_demo
from store.sign_ins import digest_of, sign_in, viewer_of_session, viewer_of_token
from store.sla_policies import get_policy
from store.tables import Channel, RolePermission, Topic, User
from store.tokens import revoke_all


async def test_the_demo_is_made_once(engine, sessions):
    first = await seed_demo(engine, "first password", "first token")
    async with sessions.begin() as session:
        await session.delete(await session.get(Topic, "offers"))
    second = await seed_demo(engine, "first password", "first token")
    assert first["created"]
    assert not second["created"]
    assert first["users"] == second["users"]
    assert set(first["users"]) == {p.email for p in PEOPLE}
    async with sessions() as session:
        assert await session.get(Topic, "offers") is None


async def test_a_restart_keeps_what_the_administrator_changed(engine, sessions):
    made = await seed_demo(engine, "first password", "first token")
    async with sessions.begin() as session:
        olha = await session.get_one(User, made["users"]["olha@demo.local"])
        olha.password_hash = await hash_password("her own password")
        (await session.get_one(Channel, "demo")).token_hash = digest_of("rotated")
        await revoke_all(session, made["users"]["admin@demo.local"])
    for password, token in (("first password", "first token"), ("another", "token two")):
        assert not (await seed_demo(engine, password, token))["created"]
        async with sessions() as session:
            assert await viewer_of_token(session, token) is None
            assert (await session.get_one(Channel, "demo")).token_hash == digest_of("rotated")
        with pytest.raises(SignInError):
            await sign_in(sessions, "olha@demo.local", password, address="127.0.0.1")
    await sign_in(sessions, "olha@demo.local", "her own password", address="127.0.0.1")


async def test_an_administrator_with_another_address_is_still_the_demos(engine, sessions):
    made = await seed_demo(engine, "first password", "first token")
    async with sessions.begin() as session:
        (await session.get_one(User, made["users"]["admin@demo.local"])).email = "me@example.com"
    assert not (await seed_demo(engine, "first password", "first token"))["created"]


async def test_what_the_demo_starts_with(new_database):
    engine = engine_for(new_database())
    sessions = sessions_of(engine)
    try:
        assert (await seed_demo(engine, "one", "token one"))["created"]
        signed = await sign_in(sessions, "Olha@Demo.local ", "one", address="127.0.0.1")
        async with sessions() as session:
            found = await viewer_of_session(session, signed.cookie)
            assert found is not None
            assert found[0].teams == {"support", "vip"}
            assert found[1] == signed.csrf
            admin = await viewer_of_token(session, "token one")
            assert admin is not None
            assert admin.permissions == frozenset(Permission)
            assert (await session.get_one(Channel, "demo")).token_hash == digest_of("token one")
    finally:
        await engine.dispose()


async def test_the_demo_promises_something_once_and_in_the_words_of_a_policy(new_database):
    engine = engine_for(new_database())
    sessions = sessions_of(engine)
    try:
        await seed_demo(engine, "one", "token one")
        async with sessions.begin() as session:
            told = await get_policy(session, "standard")
            assert told["topics"] == ["delivery", "payment"]
            assert body_of(policy_of(STANDARD)) == STANDARD
            payment = await session.get_one(Topic, "payment")
            assert payment.calendar_key == "office"
            payment.sla_key = payment.calendar_key = None
        await seed_demo(engine, "one", "token one")
        async with sessions() as session:
            payment = await session.get_one(Topic, "payment")
            assert (payment.sla_key, payment.calendar_key) == (None, None)
    finally:
        await engine.dispose()


async def test_built_in_roles_come_with_the_schema_and_keep_their_changes(engine, sessions):
    async with sessions.begin() as session:
        for role, rights in GRANTS.items():
            rows = await session.scalars(select(RolePermission.permission).where(RolePermission.role_key == role))
            assert set(rows) == rights
        await session.delete(await session.get_one(RolePermission, ("operator", "dialog.close")))
        await session.delete(await session.get_one(RolePermission, ("admin", "dialog.close")))
    await seed_demo(engine, "one", "token")
    async with sessions() as session:
        assert await session.get(RolePermission, ("operator", "dialog.close")) is None
        assert await session.get(RolePermission, ("admin", "dialog.close")) is not None


async def test_a_first_administrator(new_database):
    engine = engine_for(new_database())
    try:
        await create_admin(engine, "root@example.com", "Root", "a long password")
        with pytest.raises(ConflictError):
            await create_admin(engine, "ROOT@example.com", "Root", "a long password")
        async with sessions_of(engine)() as session:
            assert await session.scalar(select(func.count()).select_from(User)) == 1
    finally:
        await engine.dispose()
