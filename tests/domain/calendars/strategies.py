"""Calendars of many zones, and moments close to where their clocks are put forward or back."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.calendars.reading import DAYS, calendar_of
from domain.calendars.zones import offsets

#: the usual ones, half hours, midnight switches, a skipped day, a month-long pause of summer time, two hours at once
ZONES = (
    "Europe/Kyiv", "UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana",
    "America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Asia/Gaza", "Antarctica/Troll",
    "Asia/Tehran", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo", "Asia/Pyongyang", "America/Caracas",
)  # fmt: skip
SINCE, UNTIL = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1995, 2045))


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def days(draw, *, nights=True):
    """Intervals of one day, at most the last going on into the next (to six in the morning at most)."""
    edges = sorted(draw(st.sets(st.integers(12, 47), max_size=6)))
    found = [f"{clock(low * 30)}-{clock(high * 30)}" for low, high in zip(edges[::2], edges[1::2], strict=False)]
    if nights and len(edges) % 2:
        found.append(f"{clock(edges[-1] * 30)}-{clock(draw(st.integers(1, min(12, edges[-1] - 1))) * 30)}")
    return found


whole = st.just(["00:00-24:00"])


@st.composite
def calendars(draw, zones=ZONES):
    anything = st.one_of(days(), days(), st.just([]))
    if draw(st.integers(0, 4)) == 0:
        anything = st.one_of(whole, st.just([]), days(nights=False))
    weekly = {name: draw(anything) for name in DAYS}
    if not any(weekly.values()):
        weekly["wed"] = ["10:00-11:00"]
    start = draw(near_switches(zone := draw(st.sampled_from(zones))))
    exceptions = {
        (start.date() + timedelta(days=n)).isoformat(): draw(anything)
        for n in draw(st.sets(st.integers(-2, 8), max_size=3))
    }
    return calendar_of({"zone": zone, "weekly": weekly, "exceptions": exceptions}), start


@st.composite
def near_switches(draw, zone):
    """A moment within three days of a switch where the zone has any, to the microsecond."""
    edges = [begin for begin, *_ in offsets(zone, SINCE, UNTIL)][1:] or [SINCE]
    moment = datetime.fromtimestamp(draw(st.sampled_from(edges)), UTC)
    return moment + timedelta(minutes=draw(st.integers(-4320, 4320)), microseconds=draw(fractions))


fractions = st.one_of(st.just(0), st.integers(0, 60_000_000 - 1))
amounts = st.builds(
    lambda minutes, rest: timedelta(minutes=minutes, microseconds=rest), st.integers(0, 3 * 1440), fractions
)
