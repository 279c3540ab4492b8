"""Doors that anybody may knock at: wrong knocks of one address are counted, and after too many it has to wait."""

import time
from collections import deque

from fastapi import Request

from api.house import House
from domain.errors import TooManyError

WITHIN = 60.0
MOST_WRONG = 30
_MOST_ADDRESSES = 10_000


class Knocks:
    """Of one process. Right knocks are never counted, so a busy caller with the right secret is never refused."""

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def require_patience(self, address: str) -> None:
        """Raises TooManyError with the seconds to wait."""
        now, wrong = time.monotonic(), self._wrong.get(address)
        while wrong and wrong[0] <= now - WITHIN:
            wrong.popleft()
        if wrong and len(wrong) >= MOST_WRONG:
            wait = int(wrong[0] + WITHIN - now) + 1
            raise TooManyError(f"Too many wrong tries from here; wait {wait} seconds.", retry_after=wait)

    def count_wrong(self, address: str) -> None:
        if len(self._wrong) >= _MOST_ADDRESSES and address not in self._wrong:
            self._wrong.clear()
        self._wrong.setdefault(address, deque(maxlen=MOST_WRONG)).append(time.monotonic())


def knocks_at(house: House, door: str) -> Knocks:
    made: Knocks = house.extras.setdefault(f"knocks.{door}", Knocks())
    return made


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"
