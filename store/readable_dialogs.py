"""Whether somebody may read one dialog, in one short statement."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Relation, Viewer, may_read

_DIALOG = text("""
SELECT contact_id, team_key, operator_id, author_id,
       ARRAY(SELECT user_id FROM participants WHERE dialog_id = d.id) AS people,
       (SELECT to_operator FROM transfers
        WHERE dialog_id = d.id AND state = 'pending' AND deadline > clock_timestamp()) AS offered_to
FROM dialogs d WHERE id = :id
""")


async def contact_of_readable(session: AsyncSession, viewer: Viewer, dialog_id: UUID) -> UUID | None:
    """The dialog's contact; None for a dialog that is not there, or not for the viewer to read."""
    row = (await session.execute(_DIALOG, {"id": dialog_id})).one_or_none()
    if row is None:
        return None
    relation = Relation(
        row.team_key, row.operator_id, row.author_id, frozenset(row.people), frozenset(), row.offered_to
    )  # fmt: skip
    return row.contact_id if may_read(viewer, relation) else None
