"""The generic inbound door: a client's message, accepted once it is committed."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.fields import KeyInPath, Storable
from api.house import CurrentHouse
from api.submitting import PROBLEM
from domain.errors import InvalidError
from domain.messages import LONGEST_TEXT, MOST_ATTACHMENTS
from store import inbound as inbox

router = APIRouter(tags=["inbound"])

Id = Annotated[str, Field(min_length=1, max_length=256), Storable]
Short = Annotated[str, Field(max_length=256), Storable]
ChannelToken = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=256)] | None, Header(alias="X-Channel-Token")
]


class Sender(BaseModel):
    id: Id
    name: Short | None = None
    phone: Short | None = None
    email: Short | None = None


class InboundAttachment(BaseModel):
    """A file that the channel keeps; the platform stores its address."""

    model_config = ConfigDict(extra="forbid")

    name: Short = ""
    media_type: Short = "application/octet-stream"
    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\x00\s]+$")]
    size: Annotated[int, Field(ge=0, le=10**12)] | None = None


class InboundBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    external_id: Id
    sender: Sender = Field(alias="from")
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] = ""
    attachments: list[InboundAttachment] = Field(default_factory=list, max_length=MOST_ATTACHMENTS)
    topic: Short | None = None
    weight: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] | None = None
    thread: Short = ""


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Seen before: the same ids. Or `{result: banned}`: nothing was kept."},
    **dict.fromkeys((401, 404, 413, 422, 503), PROBLEM),
}


@router.post("/channels/{channel}/inbound", status_code=202, responses=_RESPONSES)
async def receive(channel: KeyInPath, body: InboundBody, house: CurrentHouse, token: ChannelToken = None) -> Response:
    """Accept one message of a client. 202 means committed: it survives whatever dies next."""
    if not body.text.strip() and not body.attachments:
        raise InvalidError("A message has a text or attachments.", field="text")
    message = inbox.Inbound(
        channel=channel,
        external_id=body.external_id,
        address=body.sender.id,
        text=body.text,
        name=body.sender.name,
        phone=body.sender.phone,
        email=body.sender.email,
        topic=body.topic or None,
        weight=body.weight,
        thread=body.thread,
        attachments=tuple(a.model_dump() for a in body.attachments),
        token=token or "",
    )
    async with house.doorway:
        receipt = await inbox.receive(house.sessions, message)
    house.bell.ring(receipt.rings)
    if receipt.result == "banned":
        return JSONResponse({"result": "banned"}, 200)
    answer = {"result": receipt.result, "dialog_id": str(receipt.dialog_id), "message_id": str(receipt.message_id)}
    return JSONResponse(answer, 200 if receipt.result == "repeated" else 202)
