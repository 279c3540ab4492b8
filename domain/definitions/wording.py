"""What diagnostics say, in both languages. A key is a code, or a code and a variant of it (`E203.yes_no`)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.definitions import wording_of_checks, wording_of_texts
from domain.definitions.wording_of_expressions import in_ukrainian

LANGUAGES = ("en", "uk")
DEFAULT_LANGUAGE = "en"

#: kinds of values; facts wanted, given, left, right name them
_VALUES: dict[str, dict[str, str]] = {
    "en": {
        "text": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
        "object": "an object of keys", "list": "a list", "nothing": "nothing", "moment": "a moment",
        "duration": "a duration", "null": "nothing", "other": "another kind of value",
    },
    "uk": {
        "text": "текст", "integer": "ціле число", "number": "число", "boolean": "true або false",
        "object": "об'єкт із ключами", "list": "список", "nothing": "порожньо", "moment": "момент часу",
        "duration": "тривалість", "null": "порожньо", "other": "значення іншого виду",
    },
}  # fmt: skip
#: nouns that facts kind and needs name, and (`every`) all there are of them
_NOUNS: dict[str, str] = {
    "process": "процес",
    "macro": "макрос",
    "blueprint": "шаблон",
    "dialog": "діалог",
    "contact": "контакт",
    "operator": "оператор",
}
_EVERY: dict[str, str] = {"dialog": "діалоги", "contact": "контакти", "operator": "оператори"}
_SAID = ("said", "hint")
_KINDS = ("wanted", "given", "left", "right")
_LIKE = {"en": "did you mean '{suggestion}'?", "uk": "можливо, '{suggestion}'?"}


class Said(NamedTuple):
    """A message and its hint in both languages; the hint LIKE is "did you mean …?"."""

    en: str
    uk: str
    en_hint: str | None = None
    uk_hint: str | None = None


CATALOGUE: dict[str, Said] = {
    key: Said(*entry) for part in (wording_of_texts.ENTRIES, wording_of_checks.ENTRIES) for key, entry in part.items()
}


def message_for(key: str, facts: Mapping[str, Any], language: str) -> str:
    said = CATALOGUE[key]
    return _fill(said.uk if language == "uk" else said.en, facts, language)


def hint_for(key: str, facts: Mapping[str, Any], language: str) -> str | None:
    """A text of its own, else the name that was probably meant."""
    said = CATALOGUE[key]
    own = said.uk_hint if language == "uk" else said.en_hint
    if own is None and facts.get("suggestion"):
        own = _LIKE[language]
    return _fill(own, facts, language) or None if own else None


def _fill(text: str, facts: Mapping[str, Any], language: str) -> str:
    words = _VALUES[language]
    shown = {k: words.get(str(v), v) if k in _KINDS else _line(v) for k, v in facts.items()}
    if language == "uk":
        shown |= {k: in_ukrainian(str(shown[k])) for k in _SAID if shown.get(k)}
        shown |= {k: _NOUNS.get(str(shown[k]), shown[k]) for k in ("kind", "needs") if k in shown}
        shown |= {"every": _EVERY.get(str(shown["every"]), shown["every"])} if "every" in shown else {}
        if shown.get("why"):
            shown["why"] = "; ".join(in_ukrainian(part) for part in str(shown["why"]).split("; "))
    return text.format(**shown)


def _line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value
