"""The pages for authors do what they say, pasted one block after another."""

from __future__ import annotations

import pytest

from tests.chaos.stack import PASSWORD, TOKEN, Stack
from tests.docs import tour

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def macro(stack: Stack) -> list[list[str]]:
    return [told.splitlines() for told in tour.run(stack.url, PASSWORD, TOKEN, "docs/author-a-macro.md")]


@pytest.fixture(scope="module")
def process(stack: Stack, macro: list[list[str]]) -> list[list[str]]:
    """After the macro's page: both use the same people."""
    return [told.splitlines() for told in tour.run(stack.url, PASSWORD, TOKEN, "docs/author-a-process.md")]


def test_a_mistake_is_told_with_its_place_and_its_remedy(macro: list[list[str]]) -> None:
    told = " ".join(macro[2])
    assert "E303" in told
    assert "did you mean 'state'?" in told
    assert "[/do/1/with/text]" in told
    assert "clean" in " ".join(macro[3])


def test_a_macro_is_published_and_activated(macro: list[list[str]]) -> None:
    assert macro[4] == ["my-deposit  inactive", "1  The first one", "1  True"]


def test_bad_inputs_start_nothing_and_good_ones_give_the_result(macro: list[list[str]]) -> None:
    *menu, refused, ended, state, amount = macro[5]
    assert "my-deposit  How is the deposit?" in menu
    assert refused == "422  invalid_inputs  The number has 6 to 10 digits"
    assert ended == "succeeded  The deposit is active"
    assert (state, amount) == ("State: active", "Amount: 25 000,50 ₴")


def test_what_happened_is_kept(macro: list[list[str]]) -> None:
    assert "note  Deposit of 1234567: active" in macro[6]
    assert [line.split("  ")[:2] for line in macro[6][-2:]] == [["deposit", "succeeded"], ["note", "succeeded"]]


def test_a_bank_that_is_away_is_told_in_words(macro: list[list[str]]) -> None:
    failed, closed, _ = macro[7]
    assert failed.startswith("failed  ")
    assert "core-banking cannot be reached" in failed
    assert closed == "closed"


def test_a_dry_run_changes_nothing(process: list[list[str]]) -> None:
    assert process[1][1:] == ["Ольга  owned"] * 5
    _, _, run, *rest = process[2]
    assert run == "succeeded  True  5"
    assert rest == [f"{n}  succeeded" for n in range(1, 6)] + ["Ольга  owned"] * 5


def test_a_redistribution_moves_every_dialog_to_who_is_there(process: list[list[str]]) -> None:
    run, *rest = process[3]
    assert run.startswith("succeeded  5  ")
    items, people = rest[:5], rest[5:]
    assert all("Тарас" in i or "Ірина" in i for i in items)
    assert "Ольга  offline" in people
    assert "distribute  succeeded" in people
    assert any("The workflow began" in line for line in people)


def test_ones_own_process_runs_over_what_waits(process: list[list[str]]) -> None:
    *_, ended, notice = process[4]
    assert ended.startswith("succeeded  ")
    assert "'failed': 0" in ended
    assert notice.endswith("dialogs wait for an answer")
    assert not notice.startswith("0 of")
