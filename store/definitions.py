"""Definitions as people keep them: one draft each, made, copied, changed, archived."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.diagnostics import Diagnostic
from domain.definitions.loading import Loaded, load
from domain.definitions.scalars import LONGEST_NAME, NAME_PATTERN
from domain.errors import (
    ArchivedError,
    BuiltInError,
    ConflictError,
    InvalidDefinitionError,
    InvalidError,
    NotFoundError,
)
from domain.launches import OF_THE_HOUSE
from domain.publishing import trigger_kinds
from store.libraries import card_of, extras_of
from store.settings import record_change
from store.tables import Definition, Reaction, Trigger
from store.tables import Definition as Row
from store.transactions import Work

YAML, JSON = "application/yaml", "application/json"
_NAME = re.compile(NAME_PATTERN, re.ASCII)
_NAME_LINE = re.compile(r"^name:[^\n]*$", re.MULTILINE)


async def get_definition(session: AsyncSession, kind: str, key: str) -> dict[str, Any]:
    """The card with its draft. Raises NotFoundError."""
    row = await find_row(session, kind, key)
    extras = await extras_of(session, [row.key])
    return {**card_of(row), **extras[row.key], "draft": row.draft, "draft_media_type": row.draft_media_type}


async def find_row(session: AsyncSession, kind: str, key: str, *, lock: bool = False) -> Row:
    """Raises NotFoundError."""
    asked = select(Row).where(Row.key == key, Row.kind == kind).execution_options(populate_existing=True)
    row = await session.scalar(asked.with_for_update() if lock else asked)
    if row is None:
        raise NotFoundError(f"There is no {kind} {key[:100]!r}.")
    return row


async def lock_row(work: Work, kind: str, key: str) -> Row:
    """The row under its lock, to be changed. Raises NotFoundError; BuiltInError for what the platform itself starts:
    whoever could change it would act with the rights of those for whom it is started.
    """
    row = await find_row(work.session, kind, key, lock=True)
    if row.is_built_in and row.key in OF_THE_HOUSE and work.actor.kind != "system":
        raise BuiltInError("The platform itself starts this one: it stays as it is. Copy it to change the copy.")
    return row


async def lock_open(work: Work, kind: str, key: str) -> Row:
    """The row under its lock; reads the clock. Raises NotFoundError, ArchivedError."""
    row = await lock_row(work, kind, key)
    await work.read_clock()
    if row.archived_at is not None:
        raise ArchivedError("It is archived: restore it first.")
    return row


async def create(
    work: Work, by: UUID | None, kind: str, source: str, media_type: str = YAML, *, parent: str | None = None,
    is_built_in: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A definition from its first draft, which need not be valid as long as its name can be read.

    Raises InvalidDefinitionError without a name or of another kind, ConflictError for a name taken.
    """
    loaded = load(source)
    name = name_in(loaded, source)
    if name is None or not _is_name(name):
        raise invalid("Its `name` cannot be read.", loaded.diagnostics)
    require_kind(loaded, kind)
    await work.read_clock()
    made = await work.session.scalar(
        upsert(Definition)
        .values(
            key=name, kind=kind, draft=source, draft_media_type=media_type, draft_by=by, draft_at=work.now,
            created_by=by, created_at=work.now, parent_key=parent, is_built_in=is_built_in,
            **described(loaded, title=name),
        )
        .on_conflict_do_nothing()
        .returning(Definition.key)
    )  # fmt: skip
    if made is None:
        raise ConflictError(f"There is a definition {name!r} already.", field="name")
    told = await get_definition(work.session, kind, name)
    record_change(work, "definition", name, None, {"kind": kind, "title": told["title"], "parent": parent})
    return told


async def save_draft(
    work: Work, by: UUID | None, kind: str, key: str, source: str, media_type: str = YAML
) -> dict[str, Any]:  # fmt: skip
    """Keep a text as the draft, valid or not. Raises NotFoundError, ArchivedError, InvalidDefinitionError for an empty
    text, and for one of another name or kind.
    """
    row = await lock_open(work, kind, key)
    loaded = load(source)
    if not source.strip():
        raise invalid("There is no text: the draft stays what it was.", loaded.diagnostics)
    require_kind(loaded, kind)
    require_name(loaded, source, key)
    keep_draft(work, row, by, source, media_type, loaded)
    await work.session.flush()
    return await get_definition(work.session, kind, key)


def keep_draft(work: Work, row: Row, by: UUID | None, source: str, media_type: str, loaded: Loaded) -> None:
    if row.draft != source:
        record_change(work, "definition", row.key, {"draft": len(row.draft)}, {"draft": len(source)})
    row.draft, row.draft_media_type, row.draft_by, row.draft_at = source, media_type, by, work.now
    if row.active_version is None:
        for name, value in described(loaded, title=row.title).items():
            setattr(row, name, value)


def described(loaded: Loaded, *, title: str) -> dict[str, Any]:
    """The columns a library shows, as far as the text can be read."""
    draft = loaded.draft
    if draft is None:
        return {"title": title}
    return {
        "title": draft.title, "summary": draft.summary, "category": draft.category, "icon": draft.icon,
        "tags": list(draft.tags), "target": "dialog" if draft.kind == "macro" else draft.target,
        "trigger_kinds": trigger_kinds(loaded.canonical or {}),
    }  # fmt: skip


def name_in(loaded: Loaded, source: str) -> str | None:
    """The name of a text, even of one that is not valid; None where it is missing, or no name."""
    if loaded.draft is not None:
        is_refused = any(one.is_error and one.pointer == "/name" for one in loaded.diagnostics)
        return str(loaded.draft.name) if ("name",) in loaded.places.keys and not is_refused else None
    found = re.search(r"""^["']?name["']?\s*:\s*["']?([a-z0-9_-]+)""", source, re.MULTILINE) or re.search(
        r'"name"\s*:\s*"([a-z0-9_-]+)"', source
    )
    return found[1] if found else None


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def require_name(loaded: Loaded, source: str, key: str) -> None:
    name = name_in(loaded, source)
    if name is not None and name != key:
        raise InvalidDefinitionError(f"Its name is {name!r}, not {key!r}: copy it to give it another name.")


def require_kind(loaded: Loaded, kind: str) -> None:
    if loaded.draft is not None and loaded.draft.kind != kind:
        raise InvalidDefinitionError(f"It is a {loaded.draft.kind}, not a {kind}.")


def invalid(why: str, found: list[Diagnostic]) -> InvalidDefinitionError:
    """`errors` are the diagnostics, in the order of the text."""
    return InvalidDefinitionError(why, errors=[one.as_json() for one in found])


async def copy(work: Work, by: UUID | None, kind: str, key: str, new_key: str) -> dict[str, Any]:
    """A child: the same draft under another name. Raises NotFoundError, ConflictError, InvalidError for a bad key."""
    if not _is_name(new_key):
        raise InvalidError("A key is made of small Latin letters and digits, joined by -, a letter first.", field="key")
    row = await find_row(work.session, kind, key)
    return await create(
        work, by, kind, renamed(row.draft, row.draft_media_type, new_key), row.draft_media_type, parent=key
    )


def renamed(source: str, media_type: str, name: str) -> str:
    """The text under another name, everything else as it was written. Raises InvalidError where no name stands."""
    if media_type == JSON:
        try:
            document = json.loads(source)
        except ValueError:
            document = None
        if isinstance(document, Mapping):
            return json.dumps({**document, "name": name}, ensure_ascii=False, indent=2)
    changed, count = _NAME_LINE.subn(f"name: {name}", source, count=1)
    if not count:
        raise InvalidError("The text has no `name:` of its own to change.", field="key")
    return changed


async def archive(work: Work, kind: str, key: str) -> dict[str, Any]:
    """Triggers off, every launch refused; its runs and versions stay. Archived already: the same answer."""
    row = await lock_row(work, kind, key)
    await work.read_clock()
    if row.archived_at is None:
        await switch_off(work, row)
        row.archived_at = work.now
        record_change(work, "definition", key, {"archived": False}, {"archived": True})
        await work.session.flush()
    return await get_definition(work.session, kind, key)


async def restore(work: Work, kind: str, key: str) -> dict[str, Any]:
    """Back from the archive, inactive."""
    row = await lock_row(work, kind, key)
    await work.read_clock()
    if row.archived_at is not None:
        row.archived_at = None
        record_change(work, "definition", key, {"archived": True}, {"archived": False})
        await work.session.flush()
    return await get_definition(work.session, kind, key)


async def switch_off(work: Work, row: Row) -> None:
    """Nothing starts it by itself any more."""
    before = row.active_version
    row.active_version = None
    await replace_triggers(work, row.key, [])
    if before is not None:
        record_change(work, "definition", row.key, {"active_version": before}, {"active_version": None})


async def replace_triggers(work: Work, key: str, rows: list[dict[str, Any]]) -> None:
    """The automatic triggers of the active version; its schedules are made equal to them by the relay."""
    await work.session.flush()
    had = list(await work.session.scalars(select(Trigger).where(Trigger.definition_key == key)))
    for old in had:
        await work.session.delete(old)
    await work.session.flush()
    await work.insert(Trigger, [{"definition_key": key, **row} for row in rows])
    if any(t.kind == "schedule" for t in had) or any(r["kind"] == "schedule" for r in rows):
        work.session.add(Reaction(workflow_id=f"schedule:{key}", kind="triggers_changed"))
