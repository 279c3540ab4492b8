"""The built-in library passes its own gate."""

from zoneinfo import available_timezones

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.calls import capabilities_of
from domain.definitions.checking import full_check
from domain.definitions.diagnostics import readable_line
from domain.definitions.loading import load
from domain.definitions.references import references_of
from macros.catalogue import built_ins as built_in_macros
from processes.catalogue import built_ins as built_in_processes

LIBRARY = [*built_in_processes(), *built_in_macros()]


def test_the_library_is_whole() -> None:
    assert [name for name, _ in built_in_macros()] == ["check-deposit"]
    assert [name for name, _ in built_in_processes()] == [
        "close-stale", "cold-outreach", "csat-after-close", "mass-message", "move-clocks",
            "redistribute-dialogs",
        "redistribute-operator",
        "reopen-distribute", "vip-escalation",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), LIBRARY, ids=[name for name, _ in LIBRARY])
def test_nothing_is_said_against_it(name: str, text: str) -> None:
    loaded = load(text)
    found = full_check(loaded, catalogue(), timezones=frozenset(available_timezones()))
    assert [readable_line(d) for d in found] == []
    assert loaded.definition is not None
    assert loaded.definition.name == name


def definition_of(name: str):
    return load(dict(LIBRARY)[name]).definition


def test_what_it_names_can_be_listed_for_an_export() -> None:
    named = {(one.kind, one.key) for one in references_of(definition_of("vip-escalation"), catalogue())}
    assert {("role", "supervisor"), ("role", "admin"), ("team", "vip"), ("ticket_type", "escalation")} <= named
    assert ("role", "system") not in named
    assert ("connection", "core-banking") in {
        (one.kind, one.key) for one in references_of(definition_of("check-deposit"), catalogue())
    }


def test_what_it_may_do_is_seen_without_running_it() -> None:
    assert set(capabilities_of(definition_of("check-deposit"), catalogue())) == {"http:core-banking", "dialog.note"}
    assert "message.send" in capabilities_of(definition_of("mass-message"), catalogue())
