"""A bundle goes out of one installation and into another, its names bound."""

from __future__ import annotations

import pytest

from domain.errors import InvalidError, NotFoundError
from store import bundles, definitions
from store.transactions import transact
from store.viewers import get_viewer
from tests.store.launching import Launching


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="admin")
    return Launching(stage)


async def _admin(desk):
    async with desk.stage.sessions() as session:
        return await get_viewer(session, desk.stage.id_of("boss"))


async def test_a_definition_goes_out_with_all_it_starts_and_names(desk):
    topic = await desk.stage.topic("pay")
    child = await desk.publish("child", {"id": "t", "call": "set_topic", "with": {"topic": topic}})
    parent = await desk.publish("parent", {"id": "sub", "run": {"process": child, "inputs": {}, "mode": "detach"}})
    async with desk.stage.sessions() as session:
        bundle = await bundles.export(session, "process", parent)
        with pytest.raises(NotFoundError):
            await bundles.export(session, "macro", parent)
    assert [d["key"] for d in bundle["definitions"]] == [parent, child]
    assert bundle["requires"]["topics"] == [topic]

    admin = await _admin(desk)
    other = await desk.stage.topic("other")
    for entry in bundle["definitions"]:
        entry["source"] = entry["source"].replace(child, f"{child}-in").replace(parent, f"{parent}-in")
        entry["key"] += "-in"

    async def take_in(dry_run: bool, bindings=None):
        story = lambda w: bundles.take_in(w, admin, bundle, bindings or {"topics": {topic: other}}, dry_run=dry_run)  # noqa: E731
        return (await transact(desk.stage.sessions, story))[0]

    told = await take_in(dry_run=True)
    assert [d["exists"] for d in told["definitions"]] == [False, False]
    said = [one["message"] for one in told["definitions"][0]["diagnostics"] if one["code"] == "E409"]
    assert said == [f"process '{child}-in' is not published yet"]
    with pytest.raises(NotFoundError):
        async with desk.stage.sessions() as session:
            await definitions.get_definition(session, "process", f"{child}-in")
    await take_in(dry_run=False)
    async with desk.stage.sessions() as session:
        made = await definitions.get_definition(session, "process", f"{child}-in")
    assert other in made["draft"]
    assert f'"topic": "{topic}"' not in made["draft"]
    assert [d["exists"] for d in (await take_in(dry_run=True))["definitions"]] == [True, True]


@pytest.mark.parametrize(
    "bundle", [{}, {"bundle": 2, "definitions": []}, {"bundle": 1, "definitions": [{}]},
               {"bundle": 1, "definitions": [{"kind": "x", "key": "a", "source": "b"}]},
               {"bundle": 1, "definitions": [{"kind": "macro", "key": "a", "source": "\x00"}]}],
)  # fmt: skip
async def test_what_is_no_bundle_is_refused(desk, bundle):
    admin = await _admin(desk)
    with pytest.raises(InvalidError):
        await transact(desk.stage.sessions, lambda w: bundles.take_in(w, admin, bundle, {}, dry_run=True))
