"""Every diagnostic, by at least one bad definition that produces it, at its place and pointer, in both languages."""

import json
import string

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.checking import check
from domain.definitions.diagnostics import Diagnostic, in_language, readable_line
from domain.definitions.loading import load
from domain.definitions.places import path_of
from domain.definitions.wording import CATALOGUE, LANGUAGES, hint_for, message_for
from tests.domain.definitions.corpus import CORPUS, PUBLISHER, WORLD, Bad
from tests.domain.definitions.page import PAGE, page

#: said by full_check, about tests
TESTED_ELSEWHERE = {"T701", "W610"}


def diagnostics_of(bad: Bad) -> list[Diagnostic]:
    publisher = PUBLISHER if bad.code == "E505" else None
    return check(load(bad.source), catalogue(), WORLD, publisher)


@pytest.mark.parametrize("bad", CORPUS, ids=lambda bad: f"{bad.code}-{bad.place}-{bad.pointer[-30:]}")
def test_it_is_said_at_its_place(bad: Bad) -> None:
    found = diagnostics_of(bad)
    lines = "\n".join(readable_line(d) for d in found)
    here = [
        d
        for d in found
        if (d.code, f"{d.line}:{d.column}", d.pointer) == (bad.code, bad.place, bad.pointer)
        and bad.says in readable_line(d)
    ]
    assert here, lines
    assert bad.fix is None or any(d.fix and d.fix.text.strip() == bad.fix for d in here), lines
    json.dumps([d.as_json() for d in in_language(found, "uk")])


@pytest.mark.parametrize(
    "bad", [bad for bad in CORPUS if bad.fix is not None], ids=lambda bad: f"{bad.code}-{bad.place}"
)
def test_its_fix_mends_it(bad: Bad) -> None:
    assert isinstance(bad.source, str)
    found = next(d for d in diagnostics_of(bad) if d.code == bad.code and d.fix)
    assert found.fix is not None
    span = found.fix.span
    lines = bad.source.split("\n")
    row = lines[span.line - 1]
    lines[span.line - 1] = row[: span.column - 1] + found.fix.text + row[span.end_column - 1 :]
    again = check(load("\n".join(lines)), catalogue(), WORLD)
    assert (found.code, found.pointer) not in [(d.code, d.pointer) for d in again]


def test_every_code_has_its_bad_definition() -> None:
    codes = {key.partition(".")[0] for key in CATALOGUE} - TESTED_ELSEWHERE
    assert codes - {bad.code for bad in CORPUS} == set()


@pytest.mark.parametrize("key", sorted(CATALOGUE))
def test_both_languages_tell_the_same_facts(key: str) -> None:
    said = CATALOGUE[key]
    assert (said.en_hint is None) == (said.uk_hint is None)
    named = {text: {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in said if text}
    assert named[said.en] == named[said.uk]
    if said.en_hint and said.uk_hint:
        assert named[said.en_hint] == named[said.uk_hint]
    facts = dict.fromkeys(set().union(*named.values()), "text")
    for language in LANGUAGES:
        assert message_for(key, facts, language)
        hint_for(key, facts, language)


def test_pointers_lead_into_the_document() -> None:
    for bad in CORPUS:
        loaded = load(bad.source)
        for found in diagnostics_of(bad):
            keys = {tuple(map(str, path)) for path in (*loaded.places.values, *loaded.places.keys)}
            is_comma = found.wording == "E201.comma"
            assert is_comma or not found.pointer or tuple(path_of(found.pointer)) in keys, readable_line(found)


def test_the_page_of_diagnostics_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page()
    for code in {key.partition(".")[0] for key in CATALOGUE}:
        assert f"\n## {code}\n" in page()
