"""What the demo's definitions work with: a ready text, a template, a connection, tags; once, also in a demo made before
there were definitions.
"""

from typing import Any

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Connection, MessageTemplate, QuickReply, Setting, Tag

#: the row that says it was done: what an administrator removes afterwards stays removed
_DONE = "demo_desk"
TAGS = {
    "auto-closed": "Закрито автоматично (auto-closed)",
    "не-турбувати": "Не турбувати",
    "не-закривати": "Не закривати",
    "низька-оцінка": "Низька оцінка",
    "spam": "Спам (spam)",
}
STALE = "Ми ще чекаємо на вашу відповідь. Якщо її не буде, за {hours} год діалог закриється сам."
PROMO = "{contact.first_name|Вітаємо}, маємо для вас пропозицію. Відповідайте на це повідомлення, щоб дізнатися більше."


async def put_desk(session: AsyncSession) -> None:
    """Raises nothing: what is there under these names already stays as it is."""
    if await session.get(Setting, _DONE) is not None:
        return
    rows: tuple[tuple[type[Any], dict[str, Any]], ...] = (
        *((Tag, {"key": key, "name": name}) for key, name in TAGS.items()),
        (QuickReply, {"key": "stale-warning", "name": "Попередження про закриття", "text": STALE}),
        (
            MessageTemplate,
            {"key": "promo1", "name": "Пропозиція", "text": PROMO, "kinds": ["whatsapp", "facebook", "viber"]},
        ),
        (
            Connection,
            {
                "key": "core-banking", "name": "Банк (core-banking)", "base_url": "http://127.0.0.1:8099",
                "allow": [{"methods": ["GET"], "paths": ["/v2/clients/**"]}], "internal": True, "safe_get": True,
            },
        ),
    )  # fmt: skip
    for table, values in rows:
        await session.execute(upsert(table).values(**values).on_conflict_do_nothing())
    session.add(Setting(key=_DONE, value=1))
    await session.flush()
