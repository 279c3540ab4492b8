"""Random definitions that the validator could let pass, with mocks, events and inputs to walk them by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from domain.definitions.steps import KINDS
from domain.walks.ports import Brief, lock_key
from tests.domain.walks.scenes import brief_of

DEEPEST = 4
ALL = frozenset(KINDS)
#: what needs nothing but the database, as batches do
AT_ONCE = ALL - {"wait", "listen", "approve", "run"}
DURATIONS = ("1s", "30s", "10m", "2h", "1d")
EVENTS = ("message.received", "message.sent", "csat.received", "dialog.reopened")
ERRORS = ("timeout", "unavailable", "conflict", "not_found", "invalid", "unknown_effect", "broken")
HOLDING = ("true", "dialog.number == 1", "vars.n < 100", "'vip' not in dialog.tags or true", "trigger.x is empty")
CONDITIONS = (
    *HOLDING, "false", "inputs.yes", "not inputs.yes", "vars.n < 2", "vars.n + 1 > vars.m", "dialog.status == 'open'",
    "dialog.status == 'closed'", "'vip' in dialog.tags", "vars.n", "vars.gone == 1",
)  # fmt: skip
VALUES = (
    0, 1, "text", None, True, [1, 2], "{{ vars.n }}", "{{ vars.n + 1 }}", "{{ vars.m ~ 'x' }}", "{{ dialog.number }}",
    "{{ now() }}", "{{ [vars.n, dialog.status] }}", "{{ vars.text | upper }}", "{{ trigger.gone }}", "{{ 1 / 0 }}",
    "{{ contact.first_name }} {{ vars.text }}",
)  # fmt: skip
LISTS = (
    [],
    [1],
    [1, 2, 3],
    ["a", {"b": 1}],
    "{{ [vars.n, 2] }}",
    "{{ dialog.tags }}",
    "{{ vars.n }}",
    "{{ vars.list }}",
)
ACTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("add_tag", {"tag": "vip"}), ("remove_tag", {"tag": "vip"}), ("close", {"silent": True}), ("reopen", {}),
    ("distribute", {"to": "online"}), ("set_priority", {"priority": "{{ vars.text }}"}),
    ("add_note", {"text": "{{ vars.text }} {{ vars.n }}"}), ("log", {"text": "{{ vars.n ~ '' }}"}),
    ("set_field", {"field": "f", "value": "{{ vars.list }}"}), ("get_dialog", {}),
)  # fmt: skip
FAR_ACTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("send_message", {"text": "{{ vars.text }}"}),
    ("http", {"connection": "core", "method": "GET", "path": "/{{ vars.n }}"}),
    ("ask_ai", {"task": "summarize"}),
    ("transfer", {"operator": "op_2", "wait": True}),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a random walk starts from. `events`: (after, name, payload)."""

    brief: Brief
    mocks: dict[str, Any]
    events: tuple[tuple[str, str, dict[str, Any]], ...]
    cancel_after: str


class _Steps:
    """Draws steps; every one gets an id of its own."""

    def __init__(self, draw: Callable[..., Any], kinds: frozenset[str], compete: bool) -> None:
        self._draw = draw
        self._kinds = kinds
        self._compete = compete
        self.ids: list[str] = []

    def some(self, depth: int) -> list[dict[str, Any]]:
        return [self.one(depth) for _ in range(self._draw(st.integers(1, 3) if depth else st.integers(4, 8)))]

    def one(self, depth: int) -> dict[str, Any]:
        simple = {"call", "set", "wait", "listen", "approve", "run", "raise", "stop", "emit"}
        kinds = self._kinds if depth < DEEPEST else self._kinds & simple
        # Endings end most walks early: draw them less often than the rest.
        kind = self._draw(st.sampled_from(sorted(kinds - {"raise", "stop"}) * 8 + sorted(kinds & {"raise", "stop"})))
        step = {"id": f"s{len(self.ids) + 1}"}
        self.ids.append(step["id"])
        step |= self._common(kind) | getattr(self, f"_{kind}")(depth + 1)
        return step

    def _common(self, kind: str) -> dict[str, Any]:
        common: dict[str, Any] = {}
        if self._draw(st.integers(0, 3)) == 3:
            common["if"] = self._draw(st.sampled_from(CONDITIONS))
        if self._draw(st.integers(0, 2)) == 2:
            common["on_error"] = "continue"
        if self._draw(st.integers(0, 7)) == 7:
            common["timeout"] = self._draw(st.sampled_from(DURATIONS))
        if self._draw(st.integers(0, 15)) == 15:
            common["disabled"] = True
        if kind == "call" and self._draw(st.integers(0, 4)) == 0:
            common["retry"] = self._draw(st.sampled_from([1, 3, {"max_attempts": 5, "on": ["conflict"]}]))
        return common

    def _condition(self) -> str:
        return str(self._draw(st.sampled_from(CONDITIONS)))

    def _call(self, depth: int) -> dict[str, Any]:
        known = ACTIONS if self._kinds == AT_ONCE else ACTIONS + FAR_ACTIONS
        action, params = self._draw(st.sampled_from(known))
        return {"call": action, "with": params}

    def _set(self, depth: int) -> dict[str, Any]:
        names = self._draw(st.sets(st.sampled_from(["n", "m", "text", "list"]), min_size=1, max_size=2))
        return {"set": {name: self._draw(st.sampled_from(VALUES)) for name in sorted(names)}}

    def _do(self, depth: int) -> dict[str, Any]:
        return {"do": self.some(depth)}

    def _switch(self, depth: int) -> dict[str, Any]:
        cases = [{"when": self._condition(), "do": self.some(depth)} for _ in range(self._draw(st.integers(1, 2)))]
        if self._draw(st.booleans()):
            cases.append({"else": True, "do": self.some(depth)})
        return {"switch": cases}

    def _for(self, depth: int) -> dict[str, Any]:
        loop = {"in": self._draw(st.sampled_from(LISTS)), "max": self._draw(st.sampled_from([1, 2, 10]))}
        loop["concurrency"] = self._draw(st.sampled_from([1, 1, 2]))
        step = {"for": loop, "do": self.some(depth)}
        if self._draw(st.integers(0, 3)) == 0:
            step["while"] = self._condition()
        return step

    def _fork(self, depth: int) -> dict[str, Any]:
        count = self._draw(st.integers(2, 3))
        branches = [{"id": f"b{n}", "do": self.some(depth)} for n in range(count)]
        return {"fork": {"branches": branches, "compete": self._compete and self._draw(st.integers(0, 2)) == 0}}

    def _try(self, depth: int) -> dict[str, Any]:
        step: dict[str, Any] = {"try": self.some(depth)}
        if self._draw(st.booleans()):
            catch: dict[str, Any] = {"do": self.some(depth)}
            if self._draw(st.booleans()):
                catch["errors"] = self._draw(st.lists(st.sampled_from([*ERRORS, "expression"]), min_size=1, max_size=3))
            if self._draw(st.integers(0, 3)) == 0:
                catch["when"] = self._draw(st.sampled_from([*CONDITIONS, "error.type == 'conflict'"]))
            step["catch"] = catch
        if self._draw(st.booleans()) or "catch" not in step:
            step["finally"] = self.some(depth)
        return step

    def _wait(self, depth: int) -> dict[str, Any]:
        waits = [*DURATIONS, "{{ minutes(vars.n) }}", {"until": "{{ now() + hours(1) }}"}, {"until": "{{ vars.n }}"},
                 {"for": "1h", "calendar": "support"}]  # fmt: skip
        return {"wait": self._draw(st.sampled_from(waits))}

    def _listen(self, depth: int) -> dict[str, Any]:
        ear: dict[str, Any] = {"timeout": self._draw(st.sampled_from(DURATIONS))}
        names = self._draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2, unique=True))
        match self._draw(st.sampled_from(["to", "where", "any", "all"])):
            case "to":
                ear["to"] = names[0]
            case "where":
                ear["to"] = {"event": names[0], "where": "event.text == 'yes'"}
            case several:
                ear[several] = names
        if self._draw(st.booleans()):
            ear["on_timeout"] = "fail"
        if self._draw(st.integers(0, 3)) == 0:
            ear["since"] = self._draw(st.sampled_from(self.ids))
        return {"listen": ear}

    def _approve(self, depth: int) -> dict[str, Any]:
        return {
            "approve": {
                "by": {"roles": ["admin"]},
                "message": "{{ vars.text }}?",
                "timeout": self._draw(st.sampled_from(DURATIONS)),
                "on_timeout": self._draw(st.sampled_from(["reject", "approve", "fail"])),
                "on_reject": self._draw(st.sampled_from(["stop", "continue"])),
            }
        }

    def _run(self, depth: int) -> dict[str, Any]:
        mode = self._draw(st.sampled_from(["wait", "detach"]))
        return {"run": {"process": "other", "inputs": {"n": "{{ vars.n }}"}, "mode": mode}}

    def _raise(self, depth: int) -> dict[str, Any]:
        return {"raise": {"error": "broken", "message": "broken {{ vars.text }}"}}

    def _stop(self, depth: int) -> dict[str, Any]:
        return {"stop": {"status": self._draw(st.sampled_from(["succeeded", "skipped"])), "message": "{{ vars.n }}"}}

    def _emit(self, depth: int) -> dict[str, Any]:
        return {"emit": {"event": "custom.seen", "data": {"n": "{{ vars.n }}"}}}


_RESULTS = (
    {}, {"changed": True}, {"n": 1, "list": [1, 2]}, {"approved": False}, {"timed_out": True}, {"status": "failed"},
    {"offer_id": "o1"}, {"text": "yes"},
)  # fmt: skip
_MOCKS = st.one_of(
    st.sampled_from(_RESULTS),
    st.builds(lambda error: {"error": error}, st.sampled_from(ERRORS)),
    st.lists(st.sampled_from([*_RESULTS, {"error": "conflict"}]), min_size=1, max_size=3),
)
_PLAYED = st.tuples(
    st.sampled_from(("0s", *DURATIONS)),
    st.sampled_from((*EVENTS, "transfer.accepted")),
    st.sampled_from(({}, {"text": "yes"}, {"text": "no", "score": 1}, {"transfer_id": "o1"})),
)


@st.composite
def scenes(draw: Callable[..., Any], kinds: frozenset[str] = ALL, *, compete: bool = True) -> Scene:
    """A definition of these kinds of steps, and all it takes to walk it."""
    steps = _Steps(draw, kinds, compete)
    do = steps.some(0)
    more: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        more["on_failure"] = steps.some(DEEPEST - 1)
    if draw(st.integers(0, 8)) == 8:
        more["guard"] = draw(st.sampled_from((*HOLDING, *CONDITIONS)))
    if draw(st.integers(0, 4)) == 4:
        more["timeout"] = draw(st.sampled_from(DURATIONS))
    more["outputs"] = {
        step: {
            "label": step,
            "value": "{{ steps." + step + draw(st.sampled_from([".result", ".status", ".error.type"])) + " }}",
        }
        for step in draw(st.lists(st.sampled_from(steps.ids), max_size=3, unique=True))
    }
    brief = brief_of(
        do,
        given={"yes": draw(st.booleans())},
        inputs={"yes": {"label": "Yes", "type": "boolean"}},
        vars={"n": draw(st.integers(0, 2)), "m": 1, "text": "high", "list": [1, 2]},
        locks={lock_key("process", "other", "pinned"): 1},
        **more,
    )
    mocked = draw(st.dictionaries(st.sampled_from(steps.ids), _MOCKS, max_size=5))
    events = tuple(draw(st.lists(_PLAYED, max_size=4)))
    return Scene(brief, mocked, events, draw(st.sampled_from(DURATIONS)))
