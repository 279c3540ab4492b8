"""The publish gate: a definition's own tests, the publisher's rights, limits at their edges."""

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.checking import check, full_check
from domain.definitions.diagnostics import in_language, readable_line
from domain.definitions.loading import load
from domain.definitions.worlds import World
from tests.domain.definitions.corpus import HEAD

TESTED = HEAD + (
    "do:\n  - { id: a, call: close }\n  - { id: b, if: dialog.kind == 'ticket', call: reopen }\n"
    "tests:\n  - { name: closes, expect: { status: succeeded, path: [a] } }\n"
)


def said(text: str, **more: object) -> list[str]:
    return [readable_line(d) for d in full_check(load(text), catalogue(), **more)]  # type: ignore[arg-type]


def test_a_step_that_no_test_runs_is_told() -> None:
    assert said(TESTED) == ["7:5 warning W610 no test runs step 'b'  [/do/1]"]


def test_a_failing_test_is_told_with_what_was_expected() -> None:
    (_, failed) = said(TESTED.replace("path: [a]", "path: [b]"))
    assert failed.startswith("9:5 error T701 test 'closes' failed: ")
    assert failed.endswith("[/tests/0]")


def test_no_tests_are_told_once() -> None:
    assert said(HEAD + "do: [{ call: close }]\n") == ["1:1 warning W610 there are no tests — add tests:"]


def test_tests_are_not_run_while_there_are_errors() -> None:
    found = said(TESTED.replace("call: close", "call: clse").replace("succeeded", "failed"))
    assert [line.split()[2] for line in found] == ["E204"]


def test_whoever_may_everything_may_publish_everything() -> None:
    text = HEAD + "do:\n  - { call: send_message, with: { text: x, if_window_closed: skip } }\n"
    assert [d.code for d in check(load(text), catalogue(), None, frozenset({"dialog.reply"}))] == []
    assert [d.code for d in check(load(text), catalogue(), None, frozenset({"dialog.note"}))] == ["E505"]


@pytest.mark.parametrize("steps", [200, 201])
def test_two_hundred_steps_are_enough(steps: int) -> None:
    found = check(load(HEAD + "do:\n" + "  - call: close\n" * steps), catalogue())
    assert [d.code for d in found] == ([] if steps == 200 else ["E506"])


@pytest.mark.parametrize("depth", [8, 9])
def test_eight_levels_are_enough(depth: int) -> None:
    steps = "[{ do: " * (depth - 1) + "[{ call: close }]" + " }]" * (depth - 1)
    found = check(load(f"{HEAD}do: {steps}\n"), catalogue())
    assert [d.code for d in found] == ([] if depth == 8 else ["E506"])


def test_a_time_zone_is_looked_up_where_that_can_be_told() -> None:
    text = HEAD + (
        "permissions: { launch: { roles: [system] } }\nselection: { where: { all: [] } }\n"
        "triggers: [{ schedule: { cron: '0 10 * * 1-5', timezone: europe/kiev } }]\ndo: [{ call: close }]\n"
    )
    zones = frozenset({"Europe/Kiev", "Europe/Kyiv", "UTC"})
    (found,) = check(load(text), catalogue(), timezones=zones)
    assert readable_line(found).startswith(
        "7:58 error E204 unknown time zone 'europe/kiev' — did you mean 'Europe/Kiev'?"
    )
    assert check(load(text), catalogue()) == []


def test_ukrainian_is_ukrainian() -> None:
    found = check(
        load(HEAD + "mode: singel\ndo:\n  - if: dialog.subject | uper == 'A'\n    call: close\n"), catalogue()
    )
    lines = [readable_line(d) for d in in_language(found, "uk")]
    assert lines == [
        "5:7 error E204 'mode' не може бути 'singel' — можливо, 'single'?  [/mode]",
        "7:26 error E304 невідомий фільтр 'uper' — можливо, 'upper'?  [/do/0/if]",
    ]


def test_a_failed_test_says_why_to_programs_too() -> None:
    source = 'dsl: 1\nkind: process\nname: p\ntitle: P\ndo:\n  - call: log\n    with: { text: "{{ 1 / 0 }}" }\n'
    found = full_check(load(source + "tests:\n  - { name: t, expect: { status: succeeded } }\n"), catalogue())
    failed = next(one for one in found if one.code == "T701")
    assert "expected succeeded, was failed" in failed.as_json()["message"]
    assert "division by zero" in failed.as_json()["hint"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "do:\n  - call: log\n    with: { text: '{{ 1 / 0 }}' }\n"
            "tests:\n  - { name: t, expect: { status: succeeded } }\n",
            "T701 тест 't' не пройшов: статус: очікувався succeeded, а є failed — "
            "сталася помилка expression: ділення на нуль (крок call_1)",
        ),
        ("do:\n  - run: { process: nobody }\n", "E409 невідомий процес 'nobody'"),
        (
            "do:\n  - if: dialog.weight == 'x'\n    call: close\n",
            "W608 це порівняння завжди хибне: порівнюються число і текст",
        ),
        (
            "permissions: { launch: { roles: [system] } }\n"
            "triggers: [{ schedule: { cron: '0 1 * * *' } }]\ndo: [{ call: close }]\n",
            "E509 такий запуск охопить усі, які є: діалоги",
        ),
        ("target: contact\ndo: [{ call: close }]\n", "E508 для 'close' потрібен діалог, а target тут 'contact'"),
        (
            "do:\n  - call: notify\n    with: { to: me, text: x }\n",
            "E203 'to': напишіть id оператора, role:НАЗВА або team:НАЗВА",
        ),
    ],
)  # fmt: skip
def test_ukrainian_has_no_english_in_it(text: str, line: str) -> None:
    found = in_language(full_check(load(HEAD + text), catalogue(), World()), "uk")
    assert any(line in readable_line(d) for d in found), [readable_line(d) for d in found]
