"""Deadlines of dialogs in SQL: the same answers as domain/clocks/deadlines.py.

A deadline that has passed counts as passed, whether that was carried out or not (DECISIONS 6).
"""

from sqlalchemy import Boolean, DateTime, exists, literal_column, select
from sqlalchemy import func as sql

from store.tables import Clock, Dialog
from store.tables.clocks import DEADLINE, PRESSING

pressing = literal_column(f"({PRESSING})", Boolean)
deadline = literal_column(DEADLINE, DateTime(timezone=True))

#: ids of the dialogs that are late now
late_dialogs = select(Clock.dialog_id).where(pressing, deadline <= sql.now())
#: of the clock in the query around it: whether another one of its dialog presses more
presses_earlier = literal_column(
    f"""EXISTS (SELECT FROM (SELECT id, {DEADLINE} AS at FROM clocks AS other
        WHERE other.dialog_id = clocks.dialog_id AND {PRESSING}) AS pressing
        WHERE (pressing.at, pressing.id) < ({DEADLINE}, clocks.id))""",
    Boolean,
)
#: of the dialog in the query around it: whether it is late now, and the deadline that presses most
is_late = exists().where(Clock.dialog_id == Dialog.id, pressing, deadline <= sql.now()).correlate(Dialog)
is_pressed = exists().where(Clock.dialog_id == Dialog.id, pressing).correlate(Dialog)
due_at = select(sql.min(deadline)).where(Clock.dialog_id == Dialog.id, pressing).correlate(Dialog).scalar_subquery()
