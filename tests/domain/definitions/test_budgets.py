"""However bad a text is: a bounded number of diagnostics, and no work that grows without bounds."""

from collections.abc import Callable

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.checking import full_check
from domain.definitions.diagnostics import MOST_FINDINGS
from domain.definitions.loading import load
from domain.definitions.patterns import MOST_WEIGHT, Patterns, weight_of
from domain.definitions.shapes import LARGEST_BYTES
from tests.domain.definitions.corpus import DO, HEAD


def filled(head: str, piece: Callable[[int], str], tail: str = "", size: int = 34_000) -> str:
    parts, length, n = [head], len((head + tail).encode()), 0
    while length < size:
        parts.append(piece(n))
        length += len(parts[-1].encode())
        n += 1
    return "".join(parts) + tail


MANY_VARS = HEAD + "vars: {" + ",".join(f" v{n}: 1" for n in range(900)) + " }\ndo:\n"
TEXTS = {
    "unknown keys": filled(HEAD + DO, lambda n: f"k{n}: 1\n"),
    "keys written twice": filled(HEAD + "vars: {", lambda n: "a: 1, ", " }\n" + DO),
    "keys without a value": filled(HEAD + "vars: {", lambda n: f"a{n}, ", " }\n" + DO),
    "unknown variables among many": filled(
        MANY_VARS, lambda n: f"  - {{ if: vars.w{n} == 1, call: close }}\n", size=30_000
    ),
    "unknown actions": filled(HEAD + "do:\n", lambda n: f"  - call: clsoe{n}\n"),
    "unknown fields": filled(
        HEAD + 'do: [{ call: log, with: { text: "', lambda n: "{{ dialog.subjct }}", '" } }]\n', 3_900
    ),
    "unknown fields of many texts": filled(
        HEAD + "do:\n", lambda n: '  - { call: log, with: { text: "' + "{{ dialog.subjct }}" * 50 + '" } }\n'
    ),
    "heavy patterns": filled(
        HEAD + DO + "inputs:\n", lambda n: f"  a{n}: {{ label: A, type: string, pattern: '\\w{{150}}x{n}' }}\n"
    ),
    "heavy patterns in conditions": filled(
        HEAD + "do:\n", lambda n: f"  - {{ if: \"dialog.subject | matches('\\\\w{{150}}x{n}')\", call: close }}\n"
    ),
    "unknown mocks": filled(
        HEAD + DO + "tests:\n  - name: a\n    expect: {}\n    mocks: {", lambda n: f"m{n}: 1, ", "}\n"
    ),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_nobody_is_told_more_than_they_can_read(text: str) -> None:
    found = full_check(load(text), catalogue())
    assert 1 <= len(found) <= MOST_FINDINGS


@pytest.mark.parametrize("text", [TEXTS["heavy patterns"], TEXTS["heavy patterns in conditions"]])
def test_heavy_patterns_are_not_compiled(text: str) -> None:
    found = full_check(load(text), catalogue())
    assert {d.wording for d in found} <= {"E212.large", "E306.patterns"}
    assert "repeat less" in str(found[0].hint)


def test_a_text_is_measured_as_it_is_and_as_it_is_kept() -> None:
    for text in (HEAD + DO + "#" * LARGEST_BYTES, filled(HEAD + "do:\n", lambda n: "  - call: close\n", size=50_000)):
        (found,) = load(text).diagnostics
        assert found.code == "E106"


@pytest.mark.parametrize(
    ("pattern", "weight"),
    [(r"^\d{6,10}$", 10), (r"^[A-Z]{2}[0-9]{27}$", 0), (r"^[\w.+-]+@\w+\.\w{2,10}$", 30), (r"(\w{9}){9}", 81)],
)
def test_a_pattern_weighs_its_classes_as_often_as_they_repeat(pattern: str, weight: int) -> None:
    assert weight_of(pattern) == weight


@pytest.mark.parametrize("pattern", [r"\w{401}", r"((\w{8}){8}){8}", r"\p{L}{999999999}", r"\w{5,}" + r"\w" * 100])
def test_a_pattern_may_weigh_too_much_by_itself(pattern: str) -> None:
    assert weight_of(pattern) > MOST_WEIGHT
    assert not Patterns().has_room_for(pattern)
    assert not Patterns().has_room_in(f"dialog.subject | matches( '{pattern}' )")


def test_the_same_pattern_is_weighed_once() -> None:
    patterns = Patterns()
    assert all(patterns.has_room_for(r"\w{300}") for _ in range(5))
    assert not patterns.has_room_for(r"\w{301}")
