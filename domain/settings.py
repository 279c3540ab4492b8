"""Settings of the installation and their defaults; rows in `settings` override them."""

from typing import Any

from domain.errors import InvalidError, NotFoundError

DEFAULTS: dict[str, Any] = {
    "default_team": None,
    "presence_grace": 300,
    "time_zone": "Europe/Kyiv",
    "session_hours": 12,
    "stuck_after": 60,
    "sending_stopped": False,
    "run_items": 10_000,
    "runs_at_once": 50,
    "mass_runs_at_once": 5,
    "trace_days": 90,
    "accept_norm": None,
    "respond_norm": None,
}

#: seconds for teams that have none of their own; null: nothing is promised
NORMS = ("accept_norm", "respond_norm")
_WHOLE_NUMBERS = {
    "presence_grace": (0, 86_400), "session_hours": (1, 720), "stuck_after": (1, 86_400),
    "run_items": (1, 100_000), "runs_at_once": (1, 50), "mass_runs_at_once": (1, 50),
    "trace_days": (1, 3650), "accept_norm": (1, 604_800), "respond_norm": (1, 604_800),
}  # fmt: skip


def require_setting(key: str, value: Any) -> None:
    """Raises NotFoundError for an unknown key, InvalidError for a value of the wrong shape."""
    if key not in DEFAULTS:
        raise NotFoundError(f"There is no setting {key!r}. Known: {', '.join(sorted(DEFAULTS))}.")
    if key in NORMS and value is None:
        return
    if key in _WHOLE_NUMBERS:
        low, high = _WHOLE_NUMBERS[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            or_null = ", or null" if key in NORMS else ""
            raise InvalidError(f"{key} is a whole number from {low} to {high}{or_null}.", field="value")
    elif isinstance(DEFAULTS[key], bool):
        if not isinstance(value, bool):
            raise InvalidError(f"{key} is true or false.", field="value")
    elif not (value is None or isinstance(value, str)):
        raise InvalidError(f"{key} is a text or null.", field="value")
