"""What the demo's tickets are described with: a library of fields on two topics; once, also in an older demo."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Setting, TicketField, Topic, TopicField

#: the row that says it was done: what an administrator removes afterwards stays removed
_DONE = "demo_ticket_fields"
#: key → (name, type, options)
FIELDS: dict[str, tuple[str, str, list[str]]] = {
    "order": ("Замовлення (order)", "text", []),
    "amount": ("Сума (amount)", "number", []),
    "paid_on": ("Дата оплати (paid on)", "date", []),
    "carrier": ("Перевізник (carrier)", "list", ["Нова пошта", "Укрпошта", "Meest"]),
    "tracking": ("Відстеження (tracking)", "link", []),
}
#: one field may serve several topics; none is required
TOPICS = {"payment": ("order", "amount", "paid_on"), "delivery": ("order", "carrier", "tracking")}


async def put_ticket_fields(session: AsyncSession) -> None:
    """Fields of these names that are there already stay as they are."""
    if await session.get(Setting, _DONE) is not None:
        return
    for key, (name, type_, options) in FIELDS.items():
        field = upsert(TicketField).values(key=key, name=name, type=type_, options=options)
        await session.execute(field.on_conflict_do_nothing())
    for topic in await session.scalars(select(Topic.key).where(Topic.key.in_(sorted(TOPICS)))):
        for position, key in enumerate(TOPICS[topic]):
            has = upsert(TopicField).values(topic_key=topic, field_key=key, position=position)
            await session.execute(has.on_conflict_do_nothing())
    session.add(Setting(key=_DONE, value=1))
    await session.flush()
