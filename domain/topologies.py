"""What can be told of a definition without running it: how its items are carried out, what they touch, what they may do
(DECISIONS 34). A call of an action nobody knows counts for the worst.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Manifest, Placement
from domain.definitions.canonical import from_canonical
from domain.definitions.shapes import Approve, Call, Definition, Emit, Listen, Run, Step, Switch, Wait
from domain.definitions.surveys import blocks_of, sections_of
from domain.expressions import ExpressionError, compile_condition

Topology = Literal["batch", "child"]

#: a transfer that is waited for ends with one of these
TRANSFER_ENDS = (
    "transfer.accepted", "transfer.declined", "transfer.cancelled", "transfer.rescinded", "transfer.expired",
)  # fmt: skip
_ITEM = ("do", "on_failure")
# Conditions on inputs alone do not look at the clock; those that do are counted as if they might hold.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def topology_of(canonical: Mapping[str, Any], inputs: Mapping[str, Any]) -> Topology:
    """batch: the items only touch the database, each is one transaction. child: a workflow each."""
    return "child" if any(_leaves(step) for step in _item_steps(canonical, inputs)) else "batch"


def heavy(canonical: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> bool:
    """Whether an item may change who waits or who has room."""
    return any(manifest is None or manifest.heavy for _, manifest in _calls(_item_steps(canonical, inputs)))


def uses_listen(canonical: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of events its items listen for."""
    kinds: dict[str, None] = {}
    for step in _item_steps(canonical, None):
        if isinstance(step, Listen):
            kinds.update(dict.fromkeys(pattern.event for pattern in step.listen.events))
        elif waits_for_transfer(step):
            kinds.update(dict.fromkeys(TRANSFER_ENDS))
    return tuple(kinds)


def sends(canonical: Mapping[str, Any]) -> bool:
    """Whether clients may be written to, by items or by the phases around them."""
    found = _calls(_all_steps(canonical))
    return any(manifest is None or manifest.placement is Placement.SEND for _, manifest in found)


def capabilities_of(canonical: Mapping[str, Any]) -> frozenset[str]:
    """Of all its actions; `http:<connection>` for calls of other systems. Sub-processes have their own."""
    found: set[str] = set()
    for step, manifest in _calls(_all_steps(canonical)):
        if manifest is None:
            continue
        if manifest.name == "http" and isinstance(step, Call):
            found.add(f"{manifest.capability}:{step.with_.get('connection')}")
        else:
            found.add(manifest.capability)
    return frozenset(found)


def waits_for_transfer(step: Step) -> bool:
    """Only `wait: false`, said or left out, does not."""
    return isinstance(step, Call) and step.call == "transfer" and step.with_.get("wait") not in (None, False)


def _leaves(step: Step) -> bool:
    """Whether a step needs more than one transaction."""
    if isinstance(step, Wait | Listen | Approve | Run) or waits_for_transfer(step):
        return True
    return any(m is None or m.placement in (Placement.SEND, Placement.OUTSIDE) for _, m in _calls([step]))


def _calls(steps: Iterator[Step] | Sequence[Step]) -> Iterator[tuple[Step, Manifest | None]]:
    known = catalogue()
    for step in steps:
        if isinstance(step, Call):
            yield step, known.get(step.call)
        elif isinstance(step, Emit):
            yield step, known.get("emit")


def _item_steps(canonical: Mapping[str, Any], inputs: Mapping[str, Any] | None) -> Iterator[Step]:
    for section, steps in sections_of(_read(canonical)):
        if section in _ITEM:
            yield from _within(steps, inputs)


def _all_steps(canonical: Mapping[str, Any]) -> Iterator[Step]:
    for _, steps in sections_of(_read(canonical)):
        yield from _within(steps, None)


def _read(canonical: Mapping[str, Any]) -> Definition:
    return from_canonical({name: part for name, part in canonical.items() if name != "tests"})


def _within(steps: Sequence[Step], inputs: Mapping[str, Any] | None) -> Iterator[Step]:
    """Every step that may run: disabled ones cannot, nor those whose condition on the inputs alone is false."""
    for step in steps:
        if step.disabled or settled(step.if_, inputs) is False:
            continue
        yield step
        for block in blocks_of(step, ()):
            holds = settled(block.part.when, inputs) if isinstance(step, Switch) else None
            if holds is not False:
                yield from _within(block.steps, inputs)
            if holds:
                break


def settled(condition: str | None, inputs: Mapping[str, Any] | None) -> bool | None:
    """What a condition says that reads nothing but inputs; None when it reads more or cannot be told."""
    if condition is None or inputs is None or "now(" in condition.replace(" ", ""):
        return None
    try:
        expression = compile_condition(condition)
        if any(path[0] != "inputs" for path in expression.names):
            return None
        return expression.evaluate_condition({"inputs": inputs}, now=_NO_TIME)
    except ExpressionError:
        return None
