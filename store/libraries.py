"""The library of definitions: looked through by text, state, category, tag and trigger; each with its runs."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, any_, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Definition as Row
from store.tables import DefinitionVersion, Run, User


@dataclass(frozen=True, slots=True)
class Sought:
    """A page of the library. `status`: active, inactive, archived; archived ones are shown only when asked for.
    `only`: the keys the viewer sees; None: all.
    """

    kind: str
    words: str | None = None
    status: str | None = None
    category: str | None = None
    tag: str | None = None
    trigger: str | None = None
    parent: str | None = None
    after: str | None = None
    limit: int = 50
    only: frozenset[str] | None = None


async def list_definitions(session: AsyncSession, sought: Sought) -> tuple[list[dict[str, Any]], str | None]:
    """The library by key, each with its run count; the key to go on after, None on the last page."""
    rows = list(
        await session.scalars(select(Row).where(*_conditions(sought)).order_by(Row.key).limit(sought.limit + 1))
    )
    page = rows[: sought.limit]
    extras = await extras_of(session, [row.key for row in page])
    items = [{**card_of(row), **extras[row.key]} for row in page]
    return items, page[-1].key if len(rows) > sought.limit else None


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Row.kind == sought.kind]
    if sought.only is not None:
        found.append(Row.key.in_(sorted(sought.only)))
    if sought.status == "archived":
        found.append(Row.archived_at.is_not(None))
    else:
        found.append(Row.archived_at.is_(None))
    if sought.status == "active":
        found.append(Row.active_version.is_not(None))
    elif sought.status == "inactive":
        found.append(Row.active_version.is_(None))
    if sought.words:
        columns = (Row.key, Row.title, func.coalesce(Row.summary, ""), func.array_to_string(Row.tags, " "))
        found += [
            or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in sought.words.split()
        ]
    if sought.category is not None:
        found.append(Row.category == sought.category)
    if sought.tag is not None:
        found.append(literal(sought.tag, Text) == any_(sql_cast(Row.tags, ARRAY(Text))))
    if sought.trigger is not None:
        found.append(literal(sought.trigger, Text) == any_(sql_cast(Row.trigger_kinds, ARRAY(Text))))
    if sought.parent is not None:
        found.append(Row.parent_key == sought.parent)
    if sought.after is not None:
        found.append(Row.key > sought.after)
    return found


async def extras_of(session: AsyncSession, keys: list[str]) -> dict[str, dict[str, Any]]:
    """Run counts, the last launch, the latest publishing, children."""
    counted = await session.execute(
        select(Run.definition_key, func.count().label("runs"), func.max(Run.created_at).label("last_run_at"))
        .where(Run.definition_key.in_(keys), ~Run.is_dry, Run.kind != "undo")
        .group_by(Run.definition_key)
    )
    found: dict[str, dict[str, Any]] = {
        key: {"runs": 0, "last_run_at": None, "published_at": None, "published_by": None, "children": []}
        for key in keys
    }
    for row in counted:
        found[row.definition_key] |= {"runs": row.runs, "last_run_at": row.last_run_at.isoformat()}
    published = await session.execute(
        select(DefinitionVersion.definition_key, DefinitionVersion.published_at, User.name)
        .join(Row, and_(Row.key == DefinitionVersion.definition_key, Row.latest_version == DefinitionVersion.number))
        .outerjoin(User, User.id == DefinitionVersion.published_by)
        .where(DefinitionVersion.definition_key.in_(keys))
    )
    for version in published:
        found[version.definition_key] |= {
            "published_at": version.published_at.isoformat(), "published_by": version.name,
        }  # fmt: skip
    for child in await session.execute(
        select(Row.parent_key, Row.key).where(Row.parent_key.in_(keys), Row.archived_at.is_(None)).order_by(Row.key)
    ):
        found[str(child.parent_key)]["children"].append(child.key)
    return found


def card_of(row: Row) -> dict[str, Any]:
    status = "archived" if row.archived_at else "active" if row.active_version else "inactive"
    return {
        "key": row.key, "kind": row.kind, "title": row.title, "summary": row.summary, "category": row.category,
        "icon": row.icon, "tags": list(row.tags), "target": row.target, "triggers": list(row.trigger_kinds),
        "parent": row.parent_key, "status": status, "active_version": row.active_version,
        "latest_version": row.latest_version, "built_in": row.is_built_in, "draft_at": row.draft_at.isoformat(),
        "created_at": row.created_at.isoformat(),
        "archived_at": row.archived_at.isoformat() if row.archived_at else None,
    }  # fmt: skip
