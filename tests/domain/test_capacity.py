"""Room: the general limit and the limit per channel (P88, P89, I2)."""

from hypothesis import given
from hypothesis import strategies as st

from domain.capacity import Limits, Load, why_full
from tests.domain.strategies import patient


def test_somebody_below_both_limits_has_room():
    assert why_full(Limits(5, {"mail": 2}), Load(4, {"mail": 1, "demo": 3}), "mail") is None


def test_the_last_slot_can_be_filled_and_no_more():
    assert why_full(Limits(5), Load(4), "demo") is None
    assert why_full(Limits(5), Load(5), "demo") == "at_limit"


def test_the_channel_limit_blocks_that_channel_below_the_general_limit():
    limits, load = Limits(5, {"mail": 2}), Load(2, {"mail": 2})
    assert why_full(limits, load, "mail") == "at_channel_limit"
    assert why_full(limits, load, "demo") is None


def test_the_general_limit_blocks_channels_below_their_own_limit():
    assert why_full(Limits(2, {"mail": 9}), Load(2, {"demo": 2}), "mail") == "at_limit"


def test_a_channel_limit_above_the_general_one_gives_nothing():
    assert why_full(Limits(1, {"mail": 9}), Load(1, {"mail": 1}), "mail") == "at_limit"


def test_who_is_full_in_both_ways_is_told_the_general_limit():
    assert why_full(Limits(2, {"mail": 2}), Load(2, {"mail": 2}), "mail") == "at_limit"


def test_a_limit_of_nothing_lets_nothing_in():
    assert why_full(Limits(0), Load(), "demo") == "at_limit"
    assert why_full(Limits(5, {"mail": 0}), Load(), "mail") == "at_channel_limit"


def test_lowered_below_what_is_held_means_full_not_an_error():
    assert why_full(Limits(2), Load(7), "demo") == "at_limit"
    assert why_full(Limits(9, {"mail": 1}), Load(4, {"mail": 4}), "mail") == "at_channel_limit"


def test_one_dialog_more_counts_in_all_and_in_its_channel_and_leaves_the_old_load_alone():
    before = Load(3, {"mail": 2, "demo": 1})
    assert before.plus("mail") == Load(4, {"mail": 3, "demo": 1})
    assert before.plus("sms") == Load(4, {"mail": 2, "demo": 1, "sms": 1})
    assert before == Load(3, {"mail": 2, "demo": 1})


@patient
@given(
    limit=st.integers(0, 8),
    channel_limits=st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)),
    arrivals=st.lists(st.sampled_from("abc"), max_size=30),
)
def test_filling_up_stops_exactly_at_the_limits(limit, channel_limits, arrivals):
    limits, load = Limits(limit, channel_limits), Load()
    for channel in arrivals:
        held = load.channels.get(channel, 0)
        has_room = load.total < limit and held < channel_limits.get(channel, 999)
        assert (why_full(limits, load, channel) is None) == has_room
        if has_room:
            load = load.plus(channel)
    assert load.total == sum(load.channels.values()) <= limit
    assert all(n <= channel_limits.get(channel, 999) for channel, n in load.channels.items())
