"""The demo's working time: an office in Kyiv, closed on the public holidays of Ukraine; once, also in an older demo."""

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.calendars.reading import body_of, calendar_of
from store.tables import Calendar, CalendarVersion, Setting

#: the row that says it was done: what an administrator removes afterwards stays removed
_DONE = "demo_calendar"
KEY = "office"
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
#: a holiday on a weekend gives the next working day off
HOLIDAYS = (
    "2026-01-01", "2026-03-09", "2026-04-13", "2026-05-01", "2026-05-08", "2026-06-01", "2026-06-29", "2026-07-15",
    "2026-08-24", "2026-10-01", "2026-12-25",
    "2027-01-01", "2027-03-08", "2027-05-03", "2027-05-04", "2027-05-10", "2027-06-21", "2027-06-28", "2027-07-15",
    "2027-08-24", "2027-10-01", "2027-12-27",
)  # fmt: skip
OFFICE = {
    "zone": "Europe/Kyiv",
    "weekly": {day: ["09:00-18:00"] for day in WORKDAYS},
    "exceptions": {day: [] for day in HOLIDAYS},
}


async def put_calendar(session: AsyncSession) -> None:
    """A calendar of this name that is there already stays as it is."""
    if await session.get(Setting, _DONE) is not None:
        return
    row = upsert(Calendar).values(key=KEY, name="Офіс (office)").on_conflict_do_nothing().returning(Calendar.key)
    if await session.scalar(row) is not None:
        body = body_of(calendar_of(OFFICE))
        await session.execute(insert(CalendarVersion).values(key=KEY, version=1, body=body))
    session.add(Setting(key=_DONE, value=1))
    await session.flush()
