"""What somebody may start, and the form it asks them to fill in."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.inputs import InputField
from domain.definitions.loading import load
from domain.errors import ForbiddenError, InvalidDefinitionError, NotActiveError, NotFoundError
from domain.forms import schema_of, ui_of, values_of
from domain.launch_rights import may_launch
from domain.permissions import Permission, Viewer
from store.contacts import require_seen
from store.dialog_rows import require_readable
from store.operator_snapshots import operator_snapshot
from store.snapshots import snapshot_of
from store.tables import Definition, DefinitionVersion, User
from store.transactions import Work

#: any of these: the whole library is seen, not only what one may start
_SEES_ALL = (Permission.DEFINITIONS_MANAGE, Permission.RUNS_CONTROL, Permission.AUDIT_READ)


def sees_library(viewer: Viewer) -> bool:
    return any(viewer.may(permission) for permission in _SEES_ALL)


async def startable(session: AsyncSession, viewer: Viewer, kind: str) -> list[tuple[Definition, DefinitionVersion]]:
    """The active definitions that the viewer may start, by title (P179)."""
    email = await session.scalar(select(User.email).where(User.id == viewer.user_id))
    rows = await session.execute(
        select(Definition, DefinitionVersion)
        .join(
            DefinitionVersion,
            (DefinitionVersion.definition_key == Definition.key)
            & (DefinitionVersion.number == Definition.active_version),
        )
        .where(Definition.kind == kind, Definition.archived_at.is_(None))
        .order_by(Definition.title, Definition.key)
    )
    return [
        (row.Definition, row.DefinitionVersion)
        for row in rows
        if may_launch(
            viewer, row.DefinitionVersion.canonical.get("permissions"), row.DefinitionVersion.capabilities, email
        )
    ]


async def visible_keys(session: AsyncSession, viewer: Viewer, kind: str) -> frozenset[str] | None:
    """The definitions the viewer sees; None: all of them."""
    if sees_library(viewer):
        return None
    return frozenset(definition.key for definition, _ in await startable(session, viewer, kind))


async def require_visible(session: AsyncSession, viewer: Viewer, kind: str, key: str) -> None:
    """Raises NotFoundError: who may neither start nor look through the library is not told that it exists."""
    keys = await visible_keys(session, viewer, kind)
    if keys is not None and key not in keys:
        raise NotFoundError(f"There is no {kind} {key!r}.")


async def form_of(
    work: Work,
    viewer: Viewer,
    kind: str,
    key: str,
    *,
    version: int | str | None = None,
    dialog_id: UUID | None = None,
    contact_id: UUID | None = None,
    operator_id: UUID | None = None,
) -> dict[str, Any]:
    """The form of a launch: a JSON Schema, `ui` in order, and `values`: defaults read for this dialog or contact.

    Raises NotFoundError, NotActiveError, InvalidDefinitionError for a draft that cannot be read.
    """
    await require_visible(work.session, viewer, kind, key)
    number, canonical = await _canonical(work.session, viewer, kind, key, version)
    fields = {name: InputField.model_validate(one) for name, one in (canonical.get("inputs") or {}).items()}
    names = await _names(work.session, viewer, dialog_id, contact_id, operator_id)
    mass = canonical.get("mass") or {}
    target = "dialog" if kind == "macro" else canonical.get("target", "dialog")
    return {
        "key": key, "kind": kind, "version": number, "title": canonical.get("title"),
        "summary": canonical.get("summary"), "target": target,
        "schema": schema_of(fields), "ui": ui_of(fields), "values": values_of(fields, names, await work.read_clock()),
        "confirm_above": mass.get("confirm_above"), "approval_above": mass.get("approval_above"),
        "needs_selection": kind == "process" and not (canonical.get("selection") or {}).get("where"),
    }  # fmt: skip


async def canonical_of(
    session: AsyncSession, viewer: Viewer, kind: str, key: str, version: int | str | None
) -> dict[str, Any]:
    """Of a version, of the draft ("draft"), or (None) of the active version, else the latest, else the draft.

    Raises NotFoundError, InvalidDefinitionError.
    """
    await require_visible(session, viewer, kind, key)
    if version is None:
        row = await session.get(Definition, key)
        version = (row.active_version or row.latest_version or "draft") if row is not None else None
    return (await _canonical(session, viewer, kind, key, version))[1]


async def _canonical(
    session: AsyncSession, viewer: Viewer, kind: str, key: str, version: int | str | None
) -> tuple[int | None, dict[str, Any]]:
    definition = await session.get(Definition, key)
    if definition is None or definition.kind != kind:
        raise NotFoundError(f"There is no {kind} {key!r}.")
    if version == "draft":
        if not sees_library(viewer):
            raise ForbiddenError("Drafts are for those who keep the library, or control runs.")
        loaded = load(definition.draft)
        if loaded.canonical is None:
            errors = [one.as_json() for one in loaded.diagnostics]
            raise InvalidDefinitionError("The draft is not valid.", errors=errors)
        return None, loaded.canonical
    number = version if isinstance(version, int) else definition.active_version
    if number is None:
        raise NotActiveError("It is not active: nothing starts it.")
    found = await session.get(DefinitionVersion, (key, number))
    if found is None:
        raise NotFoundError(f"There is no version {number} of {key!r}.")
    return number, found.canonical


async def _names(
    session: AsyncSession, viewer: Viewer, dialog_id: UUID | None, contact_id: UUID | None, operator_id: UUID | None
) -> dict[str, Any]:
    """What defaults may read. Raises NotFoundError for what the viewer may not look at."""
    names: dict[str, Any] = {"dialog": None, "contact": None, "operator": None, "trigger": {}}
    if operator_id is not None:
        snapshot = await operator_snapshot(session, operator_id)
        names["operator"] = snapshot.operator
    if dialog_id is not None:
        await require_readable(session, viewer, dialog_id)
    if contact_id is not None:
        await require_seen(session, viewer, contact_id)
    if dialog_id is not None or contact_id is not None:
        snapshot = await snapshot_of(session, dialog_id, contact_id)
        names |= {"dialog": snapshot.dialog, "contact": snapshot.contact}
        names["operator"] = names["operator"] or snapshot.operator
    return names
