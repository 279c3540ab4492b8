"""What the demo promises its clients: a policy and a calendar on two topics; once, also in a demo made before there
were policies.
"""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Calendar, Setting, SlaPolicy, SlaPolicyVersion, Topic

#: the row that says it was done: what an administrator removes afterwards stays removed
_DONE = "demo_promises"
POLICY, CALENDAR = "standard", "office"
TOPICS = ("payment", "delivery")
#: seconds; of the calendar's time
STANDARD: dict[str, Any] = {
    "kinds": ["ticket"],
    "calendar": None,
    "metrics": [
        {"metric": "tfr", "status": None, "alias": "Перша відповідь", "target": 900, "warn": [50, 80],
         "targets": {"critical": 300}},
        {"metric": "nrt", "status": None, "alias": "Наступна відповідь", "target": 1800, "warn": [80], "targets": {}},
        {"metric": "ttc", "status": None, "alias": "Закриття", "target": 32_400, "warn": [75], "targets": {}},
        {"metric": "tis", "status": "in_progress", "alias": "У роботі", "target": 14_400, "warn": [], "targets": {}},
    ],
}  # fmt: skip


async def put_promises(session: AsyncSession) -> None:
    """Topics that name a policy or a calendar already keep theirs."""
    if await session.get(Setting, _DONE) is not None:
        return
    made = await session.scalar(
        upsert(SlaPolicy).values(key=POLICY, name="Стандарт").on_conflict_do_nothing().returning(SlaPolicy.key)
    )
    if made is not None:
        await session.execute(insert(SlaPolicyVersion).values(key=POLICY, version=1, body=STANDARD))
    await session.execute(update(Topic).where(Topic.key.in_(TOPICS), Topic.sla_key.is_(None)).values(sla_key=POLICY))
    calendar = await session.scalar(select(Calendar.key).where(Calendar.key == CALENDAR))
    await session.execute(
        update(Topic).where(Topic.key.in_(TOPICS), Topic.calendar_key.is_(None)).values(calendar_key=calendar)
    )
    session.add(Setting(key=_DONE, value=1))
    await session.flush()
