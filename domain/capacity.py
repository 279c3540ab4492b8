"""Room: how many dialogs a person may hold at once, in all and per channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """`total` dialogs at once; `channels` narrows single channels (channel key → limit)."""

    total: int
    channels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """Slots taken: held dialogs and pending offers alike."""

    total: int = 0
    channels: Mapping[str, int] = field(default_factory=dict)

    def plus(self, channel: str) -> "Load":
        return Load(self.total + 1, {**self.channels, channel: self.channels.get(channel, 0) + 1})

    def minus(self, channel: str) -> "Load":
        """One slot of the channel less; never below none."""
        left = max(0, self.channels.get(channel, 0) - 1)
        return Load(max(0, self.total - 1), {**self.channels, channel: left})


def why_full(limits: Limits, load: Load, channel: str) -> str | None:
    """`at_limit`, `at_channel_limit`, or None when there is room for one more dialog of `channel`."""
    if load.total >= limits.total:
        return "at_limit"
    channel_limit = limits.channels.get(channel)
    if channel_limit is not None and load.channels.get(channel, 0) >= channel_limit:
        return "at_channel_limit"
    return None
