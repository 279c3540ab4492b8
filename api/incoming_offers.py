"""Reading offers: what was offered to whom, until when, and how it ended."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as FromQuery
from pydantic import Field

from api.dialogs import Reader
from api.house import Reading
from api.pages import Limit, Listed, Query
from domain.transfers import Offer
from store import offers

router = APIRouter(prefix="/transfers", tags=["transfers"])


class OffersQuery(Query):
    """`after` is the id of the last transfer of the page before."""

    to: UUID | Literal["me"] | None = Field(None, description="Offered to this operator; me = the caller.")
    from_: UUID | Literal["me"] | None = Field(None, alias="from")
    dialog: UUID | None = None
    state: Offer | None = None
    after: UUID | None = None
    limit: Limit = 50


@router.get("")
async def list_transfers(asked: Annotated[OffersQuery, FromQuery()], viewer: Reader, session: Reading) -> Listed:
    """Newest first. `?to=me&state=pending` are the offers that wait for the caller's answer."""
    page = await offers.list_offers(
        session,
        viewer,
        offers.AskedOffers(
            viewer.user_id if asked.to == "me" else asked.to,
            viewer.user_id if asked.from_ == "me" else asked.from_,
            asked.dialog,
            asked.state,
            asked.after,
            asked.limit,
        ),
    )
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/{transfer_id}")
async def read_transfer(transfer_id: UUID, viewer: Reader, session: Reading) -> dict[str, Any]:
    """The state is the one that holds now: an offer past its deadline is expired, carried out or not."""
    return await offers.get_offer(session, viewer, transfer_id)
