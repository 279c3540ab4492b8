"""Settings of the installation: known keys, values of the right shape."""

import pytest

from domain.errors import InvalidError, NotFoundError
from domain.settings import DEFAULTS, require_setting

RANGES = {"presence_grace": (0, 86_400), "session_hours": (1, 720), "stuck_after": (1, 86_400)}


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_default_is_a_value_one_could_set(key):
    require_setting(key, DEFAULTS[key])


@pytest.mark.parametrize("key", RANGES)
def test_numbers_stay_within_their_range(key):
    low, high = RANGES[key]
    require_setting(key, low)
    require_setting(key, high)
    for wrong in (low - 1, high + 1, 10**30):
        with pytest.raises(InvalidError, match=f"from {low} to {high}"):
            require_setting(key, wrong)


@pytest.mark.parametrize("key", ["accept_norm", "respond_norm"])
def test_a_norm_is_a_number_of_seconds_or_nothing(key):
    for right in (None, 1, 604_800):
        require_setting(key, right)
    for wrong in (0, 604_801, "60", True, 1.5):
        with pytest.raises(InvalidError, match="from 1 to 604800, or null"):
            require_setting(key, wrong)


@pytest.mark.parametrize("value", [True, "5", 5.0, None, [5]])
def test_only_a_whole_number_is_a_number(value):
    with pytest.raises(InvalidError):
        require_setting("stuck_after", value)


@pytest.mark.parametrize("value", [5, True, ["support"], {}])
def test_a_text_setting_takes_a_text_or_nothing(value):
    require_setting("default_team", "support")
    require_setting("default_team", None)
    with pytest.raises(InvalidError):
        require_setting("default_team", value)


def test_an_unknown_key_is_told_the_known_ones():
    with pytest.raises(NotFoundError, match="default_team, mass_runs_at_once, presence_grace"):
        require_setting("colour", "blue")
