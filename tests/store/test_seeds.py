"""The demo is made once, and its password and token always fit."""

import pytest
from sqlalchemy import func, select

from domain.errors import ConflictError
from domain.permissions import GRANTS, Permission
from store.engines import engine_for, sessions_of
from store.seeds import PEOPLE, create_admin, seed_demo
from store.sign_ins import digest_of, sign_in, viewer_of_session, viewer_of_token
from store.tables import Channel, RolePermission, Topic, User


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


async def test_password_and_token_follow_the_settings(engine, sessions):
    await seed_demo(engine, "one", "token one")
    await seed_demo(engine, "another", "token two")
    signed = await sign_in(sessions, "Olha@Demo.local ", "another", address="127.0.0.1")
    async with sessions() as session:
        found = await viewer_of_session(session, signed.cookie)
        assert found is not None
        assert found[0].teams == {"support", "vip"}
        assert found[1] == signed.csrf
        assert await viewer_of_token(session, "token one") is None
        admin = await viewer_of_token(session, "token two")
        assert admin is not None
        assert admin.permissions == frozenset(Permission)
        channel = await session.get_one(Channel, "demo")
        assert channel.token_hash == digest_of("token two")


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
