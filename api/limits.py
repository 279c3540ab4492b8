"""Doors that anybody may knock at: wrong knocks of one address are counted, and after too many all
further ones are told to wait.
"""

import time
from collections import deque

from fastapi import Request

from api.house import House
from domain.errors import TooManyError

WITHIN = 60.0
MOST_WRONG = 30
_MOST_ADDRESSES = 10_000


class Knocks:
    """Of one process. Whoever brings the right secret is let in, whatever was tried from the same address before: many
    senders may share it.
    """

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def count_wrong(self, address: str) -> None:
        """Raises TooManyError with the seconds to wait when there were too many of them already."""
        now, wrong = time.monotonic(), self._wrong.get(address)
        while wrong and wrong[0] <= now - WITHIN:
            wrong.popleft()
        if wrong and len(wrong) >= MOST_WRONG:
            wait = int(wrong[0] + WITHIN - now) + 1
            raise TooManyError(f"Too many wrong tries from here; wait {wait} seconds.", retry_after=wait)
        if len(self._wrong) >= _MOST_ADDRESSES and address not in self._wrong:
            self._wrong.clear()
        self._wrong.setdefault(address, deque(maxlen=MOST_WRONG)).append(now)


def knocks_at(house: House, door: str) -> Knocks:
    made: Knocks = house.extras.setdefault(f"knocks.{door}", Knocks())
    return made


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"
