"""A client's rating behind a link: no sign-in, the token is the right."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from api.fields import Body, Storable
from api.house import CurrentHouse
from api.limits import address_of, knocks_at
from domain.errors import NotFoundError
from store import ratings
from store.transactions import Actor, Work, transact

router = APIRouter(prefix="/csat", tags=["ratings"])
RatingToken = Annotated[str, Path(min_length=16, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


class Given(Body):
    score: Annotated[int, Field(ge=0, le=100)]
    comment: Annotated[str, Field(max_length=2000), Storable] | None = None


class Rating(BaseModel):
    score: int
    scale: str
    state: str


@router.post("/{token}")
async def rate(token: RatingToken, body: Given, request: Request, house: CurrentHouse) -> Rating:
    """Give the score asked for. The first one counts; the same again answers the same."""
    address = address_of(request)

    async def story(work: Work) -> dict[str, Any]:
        return await ratings.rate(work, token, body.score, body.comment)

    try:
        answer, rings = await transact(house.sessions, story, actor=Actor("client", None, address))
    except NotFoundError:
        knocks_at(house, "csat").count_wrong(address)
        raise
    house.bell.ring(rings)
    return Rating(**answer)
