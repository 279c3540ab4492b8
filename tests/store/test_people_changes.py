"""What a changed person means for dialogs: limits, roles, deactivation (P6, P10, DECISIONS 19, 22)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.commands import Transfer
from domain.errors import (
    BuiltInError,
    ConflictError,
    ForbiddenError,
    InUseError,
    InvalidError,
    LastAdminError,
    OperatorUnsuitableError,
)
from domain.permissions import Permission
from store import roles, tokens, users
from store.engines import engine_for, sessions_of
from store.sign_ins import viewer_of_token
from tests.store.centres import BOSS, Centre


@pytest.fixture(scope="module", autouse=True)
async def somebody_manages(sessions):
    await Centre(sessions).person(role="admin", joins=False, online=False)


@pytest.fixture
async def centre(sessions):
    return await Centre(sessions).build()


async def test_a_raised_limit_gives_out_what_waits_a_lowered_one_takes_nothing_away(centre):
    operator = await centre.person(limit=1)
    dialogs = [await centre.message() for _ in range(3)]
    assert await centre.held_by(operator) == {dialogs[0]}
    await centre.change_person(operator, limit=3)
    assert await centre.held_by(operator) == set(dialogs)
    await centre.change_person(operator, limit=0)
    assert await centre.held_by(operator) == set(dialogs)


async def test_a_raised_channel_limit_gives_out_what_waits(centre):
    operator = await centre.person(channel_limits={centre.channel: 1})
    dialogs = [await centre.message() for _ in range(3)]
    assert await centre.held_by(operator) == {dialogs[0]}
    await centre.change_person(operator, channel_limits={centre.channel: 2})
    assert await centre.held_by(operator) == set(dialogs[:2])
    with pytest.raises(InvalidError):
        await centre.change_person(operator, channel_limits={"no-such-channel": 2})


@pytest.mark.parametrize("change", [{"active": False}, {"roles": ["light_agent"]}])
async def test_who_leaves_gives_everything_back_in_the_same_transaction(centre, change):
    leaver, sender = await centre.person(limit=3), await centre.person(limit=1)
    dialogs = [await centre.message() for _ in range(4)]
    [offered] = await centre.held_by(sender)
    held = await centre.held_by(leaver)
    assert len(held) == 3
    await centre.change_person(leaver, limit=4)
    await centre.offer(sender, offered, leaver)
    viewer = await centre.viewer(leaver)
    _, secret = await centre.do(lambda work: tokens.issue(work, viewer, "mine", [], None))

    await centre.change_person(leaver, **change)

    assert await centre.held_by(leaver) == set()
    assert await centre.held_by(sender) == {offered}
    assert set(await centre.places(*held)) == {"queued"}
    for dialog in held:
        assert (await centre.dialog(dialog)).waiting_since is not None
    async with centre.sessions() as session:
        assert await viewer_of_token(session, secret) is None
        assert await session.scalar(text("SELECT status FROM operators WHERE user_id = :i"), {"i": leaver}) == "offline"
        slots = "SELECT count(*) FROM reservations WHERE operator_id = :i"
        assert await session.scalar(text(slots), {"i": leaver}) == 0
    [rescinded] = await centre.events(kind="transfer.rescinded", dialog_id=offered)
    assert rescinded.data["reason"] in ("deactivated", "role_changed")
    assert any(ring.startswith("transfer:") for ring in centre.rings)
    colleague = await centre.person()
    assert await centre.held_by(colleague) == held
    assert set(dialogs) == held | {offered}


async def test_colleagues_with_room_get_what_a_leaver_held_at_once(centre):
    leaver = await centre.person(limit=2)
    held = {await centre.message(), await centre.message()}
    colleague = await centre.person()
    await centre.change_person(leaver, active=False)
    assert await centre.held_by(colleague) == held


async def test_an_offer_the_leaver_made_frees_its_targets_slot(centre):
    leaver, target = await centre.person(limit=1), await centre.person(limit=1)
    [mine] = {await centre.message()}
    if await centre.held_by(target):
        leaver, target = target, leaver
    await centre.offer(leaver, mine, target)
    waiting = await centre.message()
    assert await centre.places(waiting) == ["queued"]
    await centre.change_person(leaver, active=False)
    assert len(await centre.held_by(target)) == 1


async def test_nothing_ever_goes_to_a_light_agent_or_to_the_deactivated(centre):
    light = await centre.person(role="light_agent")
    gone = await centre.person()
    await centre.change_person(gone, active=False)
    sender = await centre.person(limit=1)
    held, waiting = await centre.message(), await centre.message()
    assert await centre.held_by(sender) == {held}
    assert await centre.places(waiting) == ["queued"]
    for target in (light, gone):
        outcome = await centre.command(sender, held, Transfer(to_operator=target))
        assert outcome.refusal == OperatorUnsuitableError.code


async def test_an_offer_whose_deadline_has_passed_expires_and_is_not_rescinded(centre):
    sender, leaver = await centre.person(limit=1), await centre.person(limit=1)
    held = await centre.message()
    if await centre.held_by(leaver):
        sender, leaver = leaver, sender
    await centre.offer(sender, held, leaver)
    async with centre.sessions.begin() as session:
        await session.execute(
            text("UPDATE transfers SET deadline = now() - :ago WHERE dialog_id = :d"),
            {"ago": timedelta(seconds=1), "d": held},
        )
    await centre.change_person(leaver, active=False)
    assert [e.kind for e in await centre.events(dialog_id=held) if e.kind.startswith("transfer")] == [
        "transfer.offered", "transfer.expired",
    ]  # fmt: skip


async def test_a_right_taken_from_a_role_makes_its_people_leave(centre):
    key = f"closer-{centre.team}"
    await centre.do(lambda work: roles.add(work, BOSS, key, "Closers", ["dialog.hold", "dialog.read"]))
    operator = await centre.person(role=key)
    held = await centre.message()
    assert await centre.held_by(operator) == {held}
    await centre.do(lambda work: roles.change(work, BOSS, key, {"permissions": ["dialog.read"]}))
    assert await centre.held_by(operator) == set()
    assert await centre.places(held) == ["queued"]
    with pytest.raises(InUseError):
        await centre.do(lambda work: roles.remove(work, BOSS, key))


async def test_built_in_roles_stay(centre):
    with pytest.raises(BuiltInError):
        await centre.do(lambda work: roles.remove(work, BOSS, "operator"))


async def test_the_last_administrators_cannot_remove_one_another(new_database):
    engine = engine_for(new_database())
    try:
        centre = Centre(sessions_of(engine))
        both = [await centre.person(role="admin", joins=False, online=False) for _ in range(2)]
        ends = await asyncio.gather(*(centre.change_person(a, active=False) for a in both), return_exceptions=True)
        assert [type(e) for e in ends if isinstance(e, Exception)] == [LastAdminError]
        with pytest.raises(LastAdminError):
            await centre.do(
                lambda work: roles.change(work, BOSS, "admin", {"permissions": [Permission.DIALOG_READ.value]})
            )
    finally:
        await engine.dispose()


async def test_nobody_hands_out_more_than_they_have(centre):
    clerk = replace(BOSS, permissions=frozenset({"users.manage", "roles.manage", "dialog.read"}))
    person = await centre.person(role="admin", joins=False, online=False)
    with pytest.raises(ForbiddenError):
        await centre.do(lambda work: users.change(work, clerk, person, {"name": "Mine"}, password_hash="x"))
    given = {"email": "new@example.com", "name": "New", "roles": ["admin"]}
    with pytest.raises(ForbiddenError):
        await centre.do(lambda work: users.add(work, clerk, "x", given))
    with pytest.raises(ForbiddenError):
        await centre.do(lambda work: roles.add(work, clerk, "mine", "Mine", ["settings.manage"]))


async def test_an_email_belongs_to_one_person(centre):
    one, two = await centre.person(), await centre.person()
    async with centre.sessions() as session:
        email = (await users.get_user(session, one))["email"]
    with pytest.raises(ConflictError):
        await centre.change_person(two, email=email.upper())


async def test_no_secret_stands_in_the_audit(centre):
    person = await centre.person()
    await centre.do(lambda work: users.change(work, BOSS, person, {}, password_hash="$argon2id$secret"))
    [*_, changed] = await centre.events(kind="settings.changed")
    assert changed.data["after"] == {"password": "changed"}
    assert "argon2" not in str(changed.data)


async def test_leaving_while_dialogs_arrive_loses_none(centre):
    leaver, stayer = await centre.person(limit=10), await centre.person(limit=40)
    results = await asyncio.gather(
        *(centre.message() for _ in range(25)), centre.change_person(leaver, active=False),
        *(centre.message() for _ in range(15)),
    )  # fmt: skip
    dialogs = {r for r in results if not isinstance(r, dict)}
    assert await centre.held_by(leaver) == set()
    assert await centre.held_by(stayer) == dialogs
