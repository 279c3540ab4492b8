"""Files of messages: uploaded first, named in the message, read with the rights of its dialog."""

import re
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import Storable
from api.house import Reading
from api.viewers import needs
from domain.errors import TooLargeError
from domain.permissions import Permission, Viewer
from store import attachments
from store.transactions import Work

router = APIRouter(prefix="/attachments", tags=["attachments"])
Uploading = Annotated[Change, Depends(changing(Permission.DIALOG_NOTE))]
Reader = Annotated[Viewer, Depends(needs(Permission.DIALOG_READ_TEXTS))]
FileName = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$"), Storable]
MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
FILE = {"type": "string", "format": "binary"}


class Attachment(BaseModel):
    id: UUID
    name: str
    media_type: str
    size: int = Field(description="Bytes.")


@router.post(
    "", status_code=201, openapi_extra={"requestBody": {"required": True, "content": {"*/*": {"schema": FILE}}}}
)
async def upload(request: Request, change: Uploading, name: FileName) -> Attachment:
    """The file itself as the body, its name in the query, its type in Content-Type. At most 10 MB."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > attachments.LARGEST:
            raise TooLargeError(f"A file has at most {attachments.LARGEST} bytes.")
    media_type = media_type_of(request.headers.get("content-type", ""))

    async def story(work: Work) -> dict[str, Any]:
        row = await attachments.keep(work.session, change.viewer, name, media_type, bytes(content))
        return {"id": str(row.id), "name": row.name, "media_type": row.media_type, "size": row.size}

    return Attachment(**await change.make(story))


def media_type_of(header: str) -> str:
    """What the uploader says it is, without parameters; anything odd is just bytes."""
    declared = header.partition(";")[0].strip().lower()
    return declared if MEDIA_TYPE.fullmatch(declared) else "application/octet-stream"


@router.get("/{attachment_id}", response_class=Response, responses={200: {"content": {"*/*": {"schema": FILE}}}})
async def download(attachment_id: UUID, viewer: Reader, session: Reading) -> Response:
    """As a download, never shown in place: a client's file must not run as a page of ours."""
    row = await attachments.get_attachment(session, viewer, attachment_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return Response(row.content, media_type=row.media_type, headers=headers)
