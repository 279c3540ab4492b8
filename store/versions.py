"""Versions of definitions: published once, never changed; which of them is active; what is new in one."""

import asyncio
import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies
from domain.actions.capabilities import covers
from domain.actions.catalogue import catalogue
from domain.actions.manifests import CATALOGUE_VERSION
from domain.definitions.canonical import canonical_json
from domain.definitions.checking import check
from domain.definitions.diagnostics import Diagnostic, Findings, in_language
from domain.definitions.loading import load
from domain.definitions.worlds import KnownDefinition
from domain.errors import ConflictError, NotActiveError, NotFoundError, UnchangedError
from domain.permissions import Viewer
from domain.publishing import automatic_triggers, changes, errors_among, expanded, judge
from store.definitions import (
    YAML,
    described,
    find_row,
    invalid,
    keep_draft,
    lock_open,
    lock_row,
    replace_triggers,
    require_kind,
    require_name,
    switch_off,
)
from store.locks import settle_locks
from store.settings import record_change
from store.tables import Definition, DefinitionVersion, Trigger, User
from store.transactions import Work
from store.worlds import time_zones, world_for

LONGEST_NOTE = 2_000


async def validate(
    session: AsyncSession, viewer: Viewer | None, source: str, *, language: str = "en", kind: str | None = None,
    coming: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Everything there is to say about a text; saves nothing. `kind`: what it has to be, if that is settled.
    `coming`: key → kind of what will be here as a draft.
    """
    loaded = load(source)
    world = await world_for(session, loaded.draft)
    if coming:
        drafts = {key: KnownDefinition(kind) for key, kind in coming.items()}
        world = replace(world, definitions={**drafts, **world.definitions})
    publisher = frozenset(viewer.permissions) if viewer else None
    found = await asyncio.to_thread(judge, loaded, world, publisher, time_zones=time_zones(), language=language)
    if kind is not None and loaded.draft is not None and loaded.draft.kind != kind:
        findings = Findings(loaded.places)
        findings.extend(found)
        findings.add("E204", ("kind",), name="kind", value=loaded.draft.kind, known=kind)
        found = in_language(findings.sorted(), language)
    return [one.as_json() for one in found]


async def publish(
    work: Work,
    viewer: Viewer | None,
    kind: str,
    key: str,
    *,
    note: str | None = None,
    source: str | None = None,
    media_type: str = YAML,
    language: str = "en",
    must_refer: bool = True,
) -> dict[str, Any]:
    """Make the draft (or `source`, which becomes the draft) the next version; answers it with its warnings.

    `viewer` None: built in, granted everything. `must_refer` off: what the installation lacks is found at activation.
    Raises NotFoundError, ArchivedError, InvalidDefinitionError with the diagnostics as `errors`, UnchangedError.
    """
    row = await lock_open(work, kind, key)
    text = row.draft if source is None else source
    media = row.draft_media_type if source is None else media_type
    loaded = load(text)
    require_kind(loaded, kind)
    require_name(loaded, text, key)
    world = await world_for(work.session, loaded.draft)
    publisher = frozenset(viewer.permissions) if viewer else None
    found = await asyncio.to_thread(judge, loaded, world, publisher, time_zones=time_zones(), language=language)
    errors = errors_among(found) if must_refer else errors_among(found, of_installation=False)
    if errors or loaded.canonical is None:
        raise invalid(f"It has {len(errors)} errors: {_first(errors)}", found)
    canonical, sha256 = expanded(loaded, world)
    latest = await work.session.get(DefinitionVersion, (key, row.latest_version))
    if latest is not None and latest.sha256 == sha256:
        raise UnchangedError(f"Version {latest.number} says the same.", version=latest.number)
    keep_draft(work, row, viewer.user_id if viewer else None, text, media, loaded)
    capabilities = sorted(topologies.capabilities_of(canonical))
    version = DefinitionVersion(
        definition_key=key, number=row.latest_version + 1, source=text, media_type=media, canonical=canonical,
        sha256=sha256, semantics=int(canonical.get("dsl", 1)), catalogue_version=CATALOGUE_VERSION,
        capabilities=capabilities, granted=[c for c in capabilities if publisher is None or covers(publisher, c)],
        locks=await settle_locks(work.session, canonical, wanted="pinned"), note=(note or "")[:LONGEST_NOTE] or None,
        published_by=viewer.user_id if viewer else None, published_at=work.now,
    )  # fmt: skip
    work.session.add(version)
    row.latest_version = version.number
    record_change(
        work, "definition", key, {"version": version.number - 1}, {"version": version.number, "sha256": sha256}
    )
    await work.session.flush()
    told = await get_version(work.session, kind, key, version.number)
    return {**told, "warnings": [one.as_json() for one in found if not one.is_error]}


def _first(errors: list[Diagnostic]) -> str:
    return f"{errors[0].line}:{errors[0].column} {errors[0].message}" if errors else "it cannot be read"


async def list_versions(session: AsyncSession, kind: str, key: str) -> list[dict[str, Any]]:
    """Newest first. Raises NotFoundError."""
    row = await find_row(session, kind, key)
    found = await session.execute(
        select(DefinitionVersion, User.name)
        .outerjoin(User, User.id == DefinitionVersion.published_by)
        .where(DefinitionVersion.definition_key == key)
        .order_by(DefinitionVersion.number.desc())
    )
    return [_told(version, row, name) for version, name in found]


async def get_version(session: AsyncSession, kind: str, key: str, number: int) -> dict[str, Any]:
    """With its source and canonical document. Raises NotFoundError."""
    row = await find_row(session, kind, key)
    version = await _find(session, key, number)
    name = await session.scalar(select(User.name).where(User.id == version.published_by))
    return {
        **_told(version, row, name), "source": version.source, "media_type": version.media_type,
        "canonical": version.canonical,
    }  # fmt: skip


async def _find(session: AsyncSession, key: str, number: int) -> DefinitionVersion:
    version = await session.get(DefinitionVersion, (key, number)) if 0 < number < 2**31 else None
    if version is None:
        raise NotFoundError(f"There is no version {number} of {key!r}.")
    return version


def _told(version: DefinitionVersion, row: Definition, published_by: str | None) -> dict[str, Any]:
    return {
        "definition": row.key, "kind": row.kind, "version": version.number, "sha256": version.sha256,
        "active": row.active_version == version.number, "note": version.note, "published_by": published_by,
        "published_by_id": str(version.published_by) if version.published_by else None,
        "published_at": version.published_at.isoformat(), "capabilities": list(version.capabilities),
        "granted": list(version.granted), "locks": version.locks, "dsl": version.semantics,
    }  # fmt: skip


async def diff(session: AsyncSession, kind: str, key: str, before: int, after: int) -> dict[str, Any]:
    """What differs: by path into the canonical documents, and line by line in the texts. Raises NotFoundError."""
    await find_row(session, kind, key)
    old, new = await _find(session, key, before), await _find(session, key, after)
    lines = difflib.unified_diff(
        old.source.splitlines(), new.source.splitlines(), f"{key} v{before}", f"{key} v{after}", lineterm=""
    )
    return {
        "definition": key, "before": before, "after": after, "changes": changes(old.canonical, new.canonical),
        "capabilities_added": sorted(set(new.capabilities) - set(old.capabilities)), "text": "\n".join(lines),
    }  # fmt: skip


async def activate(work: Work, kind: str, key: str, number: int, *, language: str = "en") -> dict[str, Any]:
    """New runs use this version from now on; its triggers replace those of the one before. A second time: the same.

    Raises NotFoundError, ArchivedError, InvalidDefinitionError for what it names and is not here (E4xx), ConflictError
    for a webhook's path another definition listens on.
    """
    row = await lock_open(work, kind, key)
    version = await _find(work.session, key, number)
    if kind == "blueprint":
        raise NotActiveError("A blueprint starts nothing: its instances do.")
    loaded = load(version.source)
    if loaded.sha256 != version.sha256:  # an instance of a blueprint: what it stands for was published
        loaded = load(canonical_json(version.canonical))
    world = await world_for(work.session, loaded.draft)
    found = await asyncio.to_thread(check, loaded, catalogue(), world, None, timezones=time_zones())
    if errors := in_language(errors_among(found, of_installation=True), language):
        raise invalid(f"This installation lacks what it names: {_first(errors)}", errors)
    triggers = [{**one, "version": number} for one in automatic_triggers(version.canonical)]
    await _require_own_paths(work.session, key, triggers)
    before = row.active_version
    row.active_version = number
    for name, value in described(loaded, title=row.title).items():
        setattr(row, name, value)
    await replace_triggers(work, key, triggers)
    if before != number:
        record_change(work, "definition", key, {"active_version": before}, {"active_version": number})
    await work.session.flush()
    return await get_version(work.session, kind, key, number)


async def _require_own_paths(session: AsyncSession, key: str, triggers: list[dict[str, Any]]) -> None:
    paths = [t["match"] for t in triggers if t["kind"] == "webhook"]
    taken = await session.scalar(
        select(Trigger.definition_key)
        .where(Trigger.kind == "webhook", Trigger.match.in_(paths), Trigger.definition_key != key)
        .limit(1)
    )
    if taken is not None or len(set(paths)) < len(paths):
        raise ConflictError(f"The definition {taken or key!r} listens on this webhook's path already.", field="path")


async def deactivate(work: Work, kind: str, key: str) -> dict[str, Any]:
    """Nothing starts it any more; what runs goes on. Inactive already: the same answer."""
    row = await lock_row(work, kind, key)
    await work.read_clock()
    await switch_off(work, row)
    await work.session.flush()
    return {"definition": key, "kind": kind, "active_version": None}
