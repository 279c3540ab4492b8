"""The shared library of ticket fields as settings, and which of them a topic gives its tickets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InUseError, InvalidError, NotFoundError
from domain.tickets import FieldSpec, FieldType
from store.settings import record_change
from store.tables import TicketField, TopicField
from store.transactions import Work

_PLAIN = ("name", "type", "options", "active")
#: what tickets of the topic at hand have, to be put into another statement; `{topic}` is its key there
FIELDS_OF = """(SELECT coalesce(jsonb_agg(jsonb_build_object('key', f.key, 'name', f.name, 'type', f.type,
    'options', f.options, 'required', x.required) ORDER BY x.position, f.key), '[]')
    FROM topic_fields x JOIN ticket_fields f ON f.key = x.field_key AND f.active WHERE x.topic_key = {topic})"""
_OF_TOPIC = text("SELECT " + FIELDS_OF.format(topic=":topic"))


def specs_of(rows: Iterable[Mapping[str, Any]]) -> tuple[FieldSpec, ...]:
    """What FIELDS_OF answers."""
    return tuple(FieldSpec(r["key"], r["name"], r["type"], tuple(r["options"]), r["required"]) for r in rows)


async def fields_of_topic(session: AsyncSession, topic: str | None) -> tuple[FieldSpec, ...]:
    """The fields in use, in the topic's order; a ticket without a topic has none. Read once a transaction."""
    if topic is None:
        return ()
    seen: dict[str, tuple[FieldSpec, ...]] = session.info.setdefault("fields_of_topics", {})
    if topic not in seen:
        seen[topic] = specs_of(await session.scalar(_OF_TOPIC, {"topic": topic}) or ())
    return seen[topic]


async def all_fields(session: AsyncSession) -> list[dict[str, Any]]:
    return [await _told(session, one) for one in await session.scalars(select(TicketField).order_by(TicketField.key))]


async def get_field(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return await _told(session, await _find(session, key))


async def _told(session: AsyncSession, one: TicketField) -> dict[str, Any]:
    topics = select(TopicField.topic_key).where(TopicField.field_key == one.key).order_by(TopicField.topic_key)
    return {
        "key": one.key, **{name: getattr(one, name) for name in _PLAIN}, "topics": list(await session.scalars(topics)),
        "created_at": one.created_at.isoformat(),
    }  # fmt: skip


def _kept(one: TicketField) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _PLAIN}


async def _find(session: AsyncSession, key: str, *, lock: bool = False) -> TicketField:
    found = await session.get(TicketField, key, with_for_update=lock or None)
    if found is None:
        raise NotFoundError(f"There is no ticket field {key!r}.")
    return found


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError for options that do not go with the type."""
    key = given["key"]
    _require_options(given["type"], given["options"])
    await work.read_clock()
    values = {name: given[name] for name in _PLAIN}
    row = upsert(TicketField).values(key=key, **values).on_conflict_do_nothing().returning(TicketField.key)
    if await work.session.scalar(row) is None:
        raise ConflictError(f"There is a ticket field {key!r} already.", field="key")
    record_change(work, "ticket_field", key, None, values)
    return await get_field(work.session, key)


async def change(work: Work, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Counts for what is set from now on; the type never changes. Raises NotFoundError, InvalidError."""
    found = await _find(work.session, key, lock=True)
    await work.read_clock()
    before = _kept(found)
    for name in ("name", "options", "active"):
        if given.get(name) is not None:
            setattr(found, name, given[name])
    _require_options(found.type, found.options)
    await work.session.flush()
    record_change(work, "ticket_field", key, before, _kept(found))
    return await _told(work.session, found)


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, InUseError naming the topics that have it. Values in tickets stay, as left behind."""
    found = await _find(work.session, key, lock=True)
    if topics := (await _told(work.session, found))["topics"]:
        raise InUseError("Topics have this field; deactivate it instead.", where={"topics": topics})
    await work.read_clock()
    await work.session.execute(delete(TicketField).where(TicketField.key == key))
    record_change(work, "ticket_field", key, _kept(found), None)
    return {}


def _require_options(type_: str, options: Sequence[str]) -> None:
    if type_ == FieldType.LIST and not options:
        raise InvalidError("A list needs options to choose from.", field="options")
    if type_ != FieldType.LIST and options:
        raise InvalidError("Only a list has options.", field="options")
    if len({*options}) < len(options):
        raise InvalidError("An option is there twice.", field="options")


async def set_fields_of_topic(session: AsyncSession, topic: str, given: Sequence[Mapping[str, Any]]) -> None:
    """In this order: [{key, required}]. Raises InvalidError for a field that is not there, or is there twice."""
    keys = [one["key"] for one in given]
    if len({*keys}) < len(keys):
        raise InvalidError("A field is there twice.", field="fields")
    locked = select(TicketField.key).where(TicketField.key.in_(keys)).with_for_update(read=True, key_share=True)
    known = set(await session.scalars(locked)) if keys else set()
    if missing := [key for key in keys if key not in known]:
        raise InvalidError(f"There is no ticket field {missing[0]!r}.", field="fields")
    await session.execute(delete(TopicField).where(TopicField.topic_key == topic))
    rows = [
        {"topic_key": topic, "field_key": one["key"], "position": n, "required": one["required"]}
        for n, one in enumerate(given)
    ]
    if rows:
        await session.execute(insert(TopicField), rows)
