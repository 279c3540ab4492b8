"""Files: uploaded by a person, tied to a dialog by the message that carries them, read with that dialog's rights."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError, TooLargeError
from domain.permissions import Permission, Relation, Viewer, may_read
from store.ids import new_id
from store.tables import Attachment

LARGEST = 10_000_000
_RELATION = text("""
SELECT d.team_key, d.operator_id, d.author_id,
       ARRAY(SELECT user_id FROM participants WHERE dialog_id = d.id AND role = 'participant') AS participants,
       ARRAY(SELECT user_id FROM participants WHERE dialog_id = d.id AND role = 'watcher') AS watchers,
       (SELECT to_operator FROM transfers WHERE dialog_id = d.id AND state = 'pending') AS offered_to
FROM dialogs d WHERE d.id = :dialog
""")


async def keep(session: AsyncSession, viewer: Viewer, name: str, media_type: str, content: bytes) -> Attachment:
    """Raises InvalidError for an empty file, TooLargeError beyond 10 MB."""
    if not content:
        raise InvalidError("The file is empty.")
    if len(content) > LARGEST:
        raise TooLargeError(f"A file has at most {LARGEST} bytes.")
    row = Attachment(
        id=new_id(), uploaded_by=viewer.user_id, name=name, media_type=media_type, size=len(content), content=content
    )
    session.add(row)
    await session.flush()
    return row


async def get_attachment(session: AsyncSession, viewer: Viewer, attachment_id: UUID) -> Attachment:
    """A file of a dialog the viewer may read, texts included; before it is sent, only its uploader's.

    Raises NotFoundError: who may not read a file is not told that it exists.
    """
    row = await session.scalar(select(Attachment).where(Attachment.id == attachment_id))
    if row is None or not await _may_read(session, viewer, row):
        raise NotFoundError("There is no such file.")
    return row


async def _may_read(session: AsyncSession, viewer: Viewer, row: Attachment) -> bool:
    if row.dialog_id is None:
        return row.uploaded_by == viewer.user_id
    relation = await find_relation(session, row.dialog_id)
    return relation is not None and viewer.may(Permission.DIALOG_READ_TEXTS) and may_read(viewer, relation)


async def find_relation(session: AsyncSession, dialog_id: UUID) -> Relation | None:
    """How a dialog relates to people, read without its lock."""
    row = (await session.execute(_RELATION, {"dialog": dialog_id})).one_or_none()
    if row is None:
        return None
    return Relation(
        row.team_key, row.operator_id, row.author_id, frozenset(row.participants), frozenset(row.watchers),
        row.offered_to,
    )  # fmt: skip
