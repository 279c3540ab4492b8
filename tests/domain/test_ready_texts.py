"""Ready texts made whole: fields and parameters in one pass, one of several languages."""

from __future__ import annotations

import pytest

from domain.errors import InvalidError
from domain.ready_texts import filled, in_language
from domain.walks.ports import Snapshot

SEEN = Snapshot({"number": 7, "subject": None}, {"first_name": "{hours}", "name": "Іван"}, None)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("{contact.name}, №{dialog.number}", "Іван, №7"),
        ("{hours} і {params.hours}", "24 і 24"),
        ("{contact.first_name}", "{hours}"),
        ("{dialog.subject|без теми} {operator.name|}", "без теми "),
        ("{when|скоро}", "скоро"),
        ("{} { a } {A} {{ x }} {contact.name.first}", "{} { a } {A} {{ x }} {contact.name.first}"),
        ("немає полів", "немає полів"),
    ],
)
def test_fields_and_parameters_are_written_in_once(text: str, becomes: str) -> None:
    assert filled(text, SEEN, {"hours": 24}) == becomes


@pytest.mark.parametrize("text", ["{contact.phone}", "{contact.secret|x}", "{dialog.fields}", "{when}", "{run.id}"])
def test_a_field_nobody_knows_or_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        filled(text, SEEN, {"hours": 24})


def test_of_several_languages_the_clients_is_taken_else_a_usual_one_else_the_first() -> None:
    texts = {"pl": "Tak", "en": "Yes", "uk": "Так"}
    assert [in_language(texts, one) for one in ("pl", "de", None)] == ["Tak", "Так", "Так"]
    assert in_language({"de": "Ja", "pl": "Tak"}, "fr") == "Ja"
    assert in_language("Так", "pl") == "Так"
    with pytest.raises(InvalidError):
        in_language({}, "uk")
