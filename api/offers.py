"""Answering an offer: accept, decline, cancel; the stored deadline decides."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.dialog_commands import Text, right
from api.fields import Body
from api.submitting import ANSWERS, Submission, Submit
from domain import commands
from domain.permissions import Permission as P
from store.tables import Transfer

router = APIRouter(prefix="/transfers/{transfer_id}", tags=["transfers"], responses=ANSWERS)


#: the dialog of an offer that never was: the refusal is then stored under its key like any other
NOWHERE = UUID(int=0)


class DeclineBody(Body):
    reason: Text | None = None


@router.post("/acceptance", dependencies=[right(P.DIALOG_TRANSFER)])
async def accept(transfer_id: UUID, submit: Submit) -> Response:
    return await _answer(submit, transfer_id, commands.Accept())


@router.post("/decline", dependencies=[right(P.DIALOG_TRANSFER)])
async def decline(transfer_id: UUID, submit: Submit, body: DeclineBody | None = None) -> Response:
    return await _answer(submit, transfer_id, commands.Decline(body.reason if body else None))


@router.post("/cancellation", dependencies=[right(P.DIALOG_TRANSFER)])
async def cancel(transfer_id: UUID, submit: Submit) -> Response:
    return await _answer(submit, transfer_id, commands.Cancel())


async def _answer(submit: Submission, transfer_id: UUID, command: commands.Accept | commands.Decline | commands.Cancel
) -> Response:  # fmt: skip
    submit.viewer.require(P.DIALOG_TRANSFER)
    async with submit.house.sessions() as session:
        transfer = await session.get(Transfer, transfer_id)
    dialog_id = transfer.dialog_id if transfer is not None else NOWHERE
    return await submit(P.DIALOG_TRANSFER, dialog_id, command, transfer_id=transfer_id)
