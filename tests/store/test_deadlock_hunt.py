"""Sixteen connections do whatever comes to mind: nobody hears of a deadlock, nothing breaks, no wake-up is lost."""

import pytest

from tests.store.hunts import hunt

SECONDS = 5


@pytest.mark.parametrize("moves_time", [False, True], ids=["while nothing falls due", "while deadlines pass"])
async def test_sixteen_connections_at_once_break_nothing_and_nobody_hears_of_a_deadlock(new_database, moves_time):
    bag = await hunt(new_database(), SECONDS, moves_time=moves_time)
    print(bag)
    assert bag.is_clean, str(bag)
    assert bag.unavailable <= bag.acts // 50, str(bag)
    assert bag.acts > 5 * SECONDS, "too little happened to prove anything"
