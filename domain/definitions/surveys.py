"""Every step of a definition with its place, in the order of the text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.definitions.places import Path
from domain.definitions.shapes import Definition
from domain.definitions.steps import Do, For, Fork, Switch, Try

SECTIONS = ("before", "do", "after", "on_failure")


@dataclass(frozen=True, slots=True)
class Block:
    """A list of steps inside a step. `name`: do, case, branch, try, catch, finally, round."""

    path: Path
    name: str
    steps: tuple[Any, ...]
    part: Any = None


@dataclass(frozen=True, slots=True)
class Visit:
    """`depth` counts from 1."""

    step: Any
    path: Path
    section: str
    depth: int


def blocks_of(step: Any, path: Path) -> list[Block]:
    """The lists of steps right inside a step."""
    match step:
        case Do():
            return [Block((*path, "do"), "do", step.do)]
        case For():
            return [Block((*path, "do"), "round", step.do, step.for_)]
        case Switch():
            return [Block((*path, "switch", n, "do"), "case", case.do, case) for n, case in enumerate(step.switch)]
        case Fork():
            branches = enumerate(step.fork.branches)
            return [Block((*path, "fork", "branches", n, "do"), "branch", branch.do, branch) for n, branch in branches]
        case Try():
            found = [Block((*path, "try"), "try", step.try_)]
            if step.catch is not None:
                found.append(Block((*path, "catch", "do"), "catch", step.catch.do, step.catch))
            if step.finally_ is not None:
                found.append(Block((*path, "finally"), "finally", step.finally_))
            return found
    return []


def sections_of(definition: Definition) -> list[tuple[str, tuple[Any, ...]]]:
    return [(name, steps) for name in SECTIONS if (steps := getattr(definition, name))]


def steps_of(definition: Definition) -> Iterator[Visit]:
    for section, steps in sections_of(definition):
        yield from walk(steps, (section,), section)


def walk(steps: tuple[Any, ...], path: Path, section: str, depth: int = 1) -> Iterator[Visit]:
    for n, step in enumerate(steps):
        here = (*path, n)
        yield Visit(step, here, section, depth)
        for block in blocks_of(step, here):
            yield from walk(block.steps, block.path, section, depth + 1)
