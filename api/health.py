"""Is the process alive, and can it do its work?"""

import asyncio

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.documents import PROBLEMS
from api.house import CurrentHouse, House
from domain.errors import UnavailableError

router = APIRouter(tags=["health"])
PATIENCE = 5.0


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """This process answers; says nothing of the others."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: PROBLEMS[503]})
async def ready(house: CurrentHouse) -> dict[str, str]:
    """PostgreSQL answers, and a round trip through Temporal and a worker succeeds; else 503 names who is away."""
    await _require_database(house)
    try:
        await asyncio.wait_for(house.bell.is_ready(), PATIENCE)
    except TimeoutError:
        raise UnavailableError("Temporal or its workers do not answer.", part="temporal") from None
    except UnavailableError as error:
        raise UnavailableError(error.detail, part=error.extra.get("part", "temporal")) from error
    return {"status": "ready"}


async def _require_database(house: House) -> None:
    try:
        async with asyncio.timeout(PATIENCE), house.sessions() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        raise UnavailableError("PostgreSQL is away.", part="postgresql") from None
