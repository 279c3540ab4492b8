"""Expressions: what one evaluation costs once it is compiled, beside Jinja2's own and plain Python.

Needs no stack. Beside each condition: the same one compiled by Jinja2's NativeEnvironment (which counts nothing and
refuses little) and the same one written in Python. Then texts, compiling, and how soon a bomb is refused.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2.nativetypes import NativeEnvironment
from rich.console import Console

from bench.figures import RUNS, Report, Target, middle, show
from bench.running import arguments
from bench.stacks import Stack
from domain.expressions import ExpressionError, compile_condition, compile_value, render

BOUND = 25.0
"""Microseconds of a typical condition."""
TIMES = 20_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES: dict[str, Any] = {
    "dialog": {
        "status": "open", "kind": "chat", "tags": ["vip", "cards"], "priority": "high",
        "opened_at": NOON - timedelta(hours=5), "url": "http://localhost/dialogs/1", "subject": "Картка",
    },
    "contact": {
        "consent": True, "blocked": False, "tags": ["VIP"], "first_name": "Олена", "name": "Олена Коваль",
        "channels": [{"kind": "email", "window_open": False}, {"kind": "telegram", "window_open": True}],
    },
    "inputs": {"purpose": "marketing", "warn": True, "low": 2, "client_id": "1234567"},
    "steps": {
        "reply": {"timed_out": False}, "score": {"timed_out": False, "result": {"score": 3, "event": "csat.received"}},
        "deposit": {"result": {"status": 200, "state": "active", "amount": 1000.5}},
    },
    "trigger": {"closed_by": "operator", "overdue_minutes": 7}, "vars": {"channel": "email"},
}  # fmt: skip
n = NAMES
CONDITIONS: dict[str, Callable[[], bool]] = {
    "inputs.warn and not steps.reply.timed_out": lambda: n["inputs"]["warn"] and not n["steps"]["reply"]["timed_out"],
    "dialog.status not in ['closed', 'resolved']": lambda: n["dialog"]["status"] not in ["closed", "resolved"],
    "trigger.closed_by != 'system' and 'spam' not in dialog.tags": lambda: (
        n["trigger"]["closed_by"] != "system" and "spam" not in n["dialog"]["tags"]
    ),
    "not contact.blocked and (inputs.purpose != 'marketing' or contact.consent)": lambda: (
        not n["contact"]["blocked"] and (n["inputs"]["purpose"] != "marketing" or n["contact"]["consent"])
    ),
    "steps.score.timed_out or steps.score.result.event != 'csat.received'": lambda: (
        n["steps"]["score"]["timed_out"] or n["steps"]["score"]["result"]["event"] != "csat.received"
    ),
    "steps.score.result.score <= inputs.low and (dialog.tags | length) > 1 or dialog.priority == 'high'": lambda: (
        (n["steps"]["score"]["result"]["score"] <= n["inputs"]["low"] and len(n["dialog"]["tags"]) > 1)
        or n["dialog"]["priority"] == "high"
    ),
}
PARAMS = {
    "text": "Депозит клієнта {{ inputs.client_id }}: {{ steps.deposit.result.state }}, "
    "{{ steps.deposit.result.amount | money('UAH') }}",
    "channel": "{{ (contact.channels | where('window_open') | first).kind }}",
    "link": "{{ dialog.url }}",
    "if_window_closed": "{{ 'template' if inputs.template is not empty else 'skip' }}",
}
BOMBS = (
    "{% for a in xs %}{% for b in xs %}{% for c in xs %}{% endfor %}{% endfor %}{% endfor %}",
    "{{ big ~ big ~ big ~ big ~ big ~ big }}",
    "{{ " + "(" * 1900 + "1" + ")" * 1900 + " }}",
    "{{ 'A' * 200000000 }}",
)


async def measure(_stack: Stack | None, quick: bool) -> Report:
    """Takes no stack; has the shape of the other programs."""
    times = TIMES // 10 if quick else TIMES
    report = Report("Expressions, microseconds each", ("what", "ours", "Jinja2", "Python", "ours ÷ Jinja2"))
    jinja = NativeEnvironment()
    slowest, ratios = 0.0, []
    for source, plain in CONDITIONS.items():
        ours, theirs = compile_condition(source), jinja.compile_expression(source)
        assert ours.evaluate_condition(NAMES, now=NOON) == bool(theirs(NAMES)) == plain()
        took = _each(lambda ours=ours: ours.evaluate_condition(NAMES, now=NOON), times)
        beside, least = _each(lambda theirs=theirs: theirs(NAMES), times), _each(plain, times)
        slowest, ratios = max(slowest, took), [*ratios, took / beside]
        report.row(source if len(source) <= 52 else source[:51] + "…", took, beside, least, took / beside)
    report.row("parameters of a step: four texts, filters, money", _each(_rendered, times // 4), "", "", "")
    compiling = statistics.median(_compiling() for _ in range(RUNS))
    report.row("compiling a condition, the first time", compiling, "", "", "")
    refusing = max(_refusing(bomb) for bomb in BOMBS)
    report.row("refusing a bomb, the slowest of four", refusing, "", "", "")
    report.targets.append(Target("a typical condition, the slowest of six", slowest, BOUND, "µs"))
    report.targets.append(Target("a bomb is refused", refusing / 1000, 100, "ms"))
    report.notes.append("Jinja2's own evaluation counts nothing: no fuel, no limits, no exact types.")
    return report


def _each(work: Callable[[], Any], times: int) -> float:
    """Microseconds a call, the median of the runs."""
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - start) / times * 1e6)
    return middle(found)


def _rendered() -> Any:
    return render(PARAMS, NAMES, now=NOON)


def _compiling() -> float:
    compiled_anew = compile_condition.__wrapped__  # type: ignore[attr-defined]
    start = time.perf_counter()
    for source in CONDITIONS:
        compiled_anew(source)
    return (time.perf_counter() - start) / len(CONDITIONS) * 1e6


def _refusing(source: str) -> float:
    """Microseconds until it is refused, compiling included."""
    names = {"xs": list(range(1000)), "big": "a" * 20_000}
    start = time.perf_counter()
    try:
        compile_value(source).evaluate(names, now=NOON)
    except ExpressionError:
        return (time.perf_counter() - start) * 1e6
    raise AssertionError(f"not refused: {source[:60]}")


def main() -> None:
    show(asyncio.run(measure(None, arguments(__doc__).quick)), Console(width=120))


if __name__ == "__main__":
    main()
