"""When a time zone's offset from UTC changes. Moments are whole seconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
#: shorter than any two changes of one zone are apart (a week at least, since 1970), so none hides between two looks
_LOOKS_APART = 4 * 86_400
#: files of zone data that are no places
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES


@lru_cache(maxsize=512)
def offsets(zone: str, since: int, until: int) -> tuple[tuple[int, int, int], ...]:
    """Stretches (begin, end, seconds ahead of UTC) that cover all from `since` to `until`, ascending."""
    place = ZoneInfo(zone)
    looks = [*range(since, until, _LOOKS_APART), until]
    ahead = [_offset(place, look) for look in looks]
    edges = [since]
    found = [ahead[0]]
    for (before, after), (old, new) in zip(pairwise(looks), pairwise(ahead), strict=True):
        if old != new:
            edges.append(_change_between(place, before, after))
            found.append(new)
    return tuple(zip(edges, [*edges[1:], until], found, strict=True))


def _change_between(place: ZoneInfo, before: int, after: int) -> int:
    """The first second of the new offset."""
    old = _offset(place, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(place, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(place: ZoneInfo, moment: int) -> int:
    ahead = (_EPOCH + timedelta(seconds=moment)).astimezone(place).utcoffset()
    assert ahead is not None  # a ZoneInfo always answers
    return ahead // _SECOND
