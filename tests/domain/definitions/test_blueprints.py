"""Blueprints and their instances."""

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.blueprints import expand
from domain.definitions.canonical import canonical_of, from_canonical
from domain.definitions.checking import check, full_check
from domain.definitions.diagnostics import readable_line
from domain.definitions.loading import load
from domain.definitions.worlds import World

BLUEPRINT = """\
dsl: 1
kind: blueprint
name: patient
title: Чекаємо й закриваємо
parameters:
  patience: { label: Чекати, type: duration, required: true }
  tag: { label: Тег, type: tag, default: vip }
timeout: 30d
vars: { n: 0 }
do:
  - wait: "{{ blueprint.patience }}"
  - { id: mark, call: add_tag, with: { tag: "{{ blueprint.tag }}" } }
"""
INSTANCE = """\
dsl: 1
kind: process
name: patient-sales
title: Чекаємо три дні
use: { blueprint: patient, version: 2, with: { patience: 3d } }
timeout: 10d
"""


def canonical(text: str) -> dict:
    loaded = load(text)
    assert loaded.canonical is not None, [readable_line(d) for d in loaded.diagnostics]
    return loaded.canonical


def world() -> World:
    return World(tags=frozenset({"vip"}), blueprints={("patient", 2): canonical(BLUEPRINT)})


def said(text: str) -> list[str]:
    return [readable_line(d) for d in check(load(text), catalogue(), world())]


def test_a_blueprint_is_checked_with_plausible_values() -> None:
    assert [line for line in said(BLUEPRINT) if "W609" not in line] == []
    made = from_canonical(canonical(BLUEPRINT))
    assert made.do[0].wait.for_ == "1h"
    assert canonical(BLUEPRINT)["do"][0]["wait"] == "{{ blueprint.patience }}"


def test_an_instance_is_the_blueprint_with_its_own_words() -> None:
    made = from_canonical(canonical_of(expand(canonical(INSTANCE), canonical(BLUEPRINT))))
    assert (made.kind, made.name, made.title, made.timeout) == ("process", "patient-sales", "Чекаємо три дні", "10d")
    assert made.do[0].wait.for_ == "3d"
    assert made.do[1].with_ == {"tag": "vip"}
    assert made.parameters == {}
    assert made.use is None


def test_an_instance_is_checked_in_full_where_the_blueprint_is_known() -> None:
    assert [line for line in said(INSTANCE) if "W609" not in line] == []
    assert [d.code for d in check(load(INSTANCE), catalogue())] == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (INSTANCE.replace("patient, v", "patients, v"), "5:19 error E409 unknown blueprint 'patients' — did you mean"),
        (INSTANCE.replace("version: 2", "version: 9"), "5:37 error E409 blueprint 'patient' has no version 9"),
        (INSTANCE.replace("3d", "soon"), "5:58 error E203 'patience' does not fit the type duration"),
        (INSTANCE.replace(", with: { patience: 3d }", ""), "5:6 error E202 required key 'patience' is missing"),
        (INSTANCE.replace("patience: 3d", "patience: 3d, tug: a"), "5:62 error E302 unknown input 'tug'"),
        (
            BLUEPRINT.replace('"{{ blueprint.tag }}"', '"x {{ blueprint.tag }}"'),
            "12:61 error E302 a blueprint's parameter",
        ),
        (
            BLUEPRINT.replace("blueprint.tag }}", "blueprint.tags }}"),
            "12:59 error E302 unknown name 'tags' — did you mean",
        ),
        (INSTANCE.replace("use:", "parameters: { a: { label: A, type: string } }\nuse:"), "5:1 error E508"),
    ],
)
def test_it_is_refused(text: str, line: str) -> None:
    found = [one for one in said(text) if "W609" not in one]
    assert any(one.startswith(line) for one in found), found


def test_expanding_names_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="patience"):
        expand({"use": {"blueprint": "patient", "version": 2}}, canonical(BLUEPRINT))
    with pytest.raises(ValueError, match="tug"):
        expand({"use": {"with": {"tug": 1}}}, canonical(BLUEPRINT))


def test_an_instance_has_to_pass_its_own_tests() -> None:
    tests = "tests:\n  - { name: at once, expect: { status: succeeded, took: 1h } }\n"
    found = [d for d in full_check(load(INSTANCE + tests), catalogue(), world()) if d.code == "T701"]
    assert [(d.pointer, "expected 1h, was 3d" in d.message) for d in found] == [("/tests/0", True)]
    right = full_check(load(INSTANCE + tests.replace("1h", "3d")), catalogue(), world())
    assert [d.code for d in right if d.is_error] == []
