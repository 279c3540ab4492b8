"""Ready texts made whole: fields of the client and parameters written in, one text chosen of several languages."""

import re
from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidError
from domain.walks.contexts import FILLABLE
from domain.walks.ports import Snapshot

_FIELD = re.compile(r"\{([a-z_][a-z0-9_]{0,63}(?:\.[a-z_][a-z0-9_]{0,63})?)(?:\|([^{}|]{0,200}))?\}")
#: languages tried after the client's own
_LANGUAGES = ("uk", "en")


def filled(text: str, snapshot: Snapshot, params: Mapping[str, Any]) -> str:
    """`Вітаємо, {contact.first_name|друже}! Ще {hours} год.` in one pass: what was written in is never read again.

    `params` go by their own names, or as `{params.hours}`. Raises InvalidError for an unknown field, and for one
    without a value and without its `|…`.
    """

    def written(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2]
        value = _value_of(name, snapshot, params)
        if value is None or value == "":
            if otherwise is None:
                raise InvalidError(f"The field {{{name}}} has no value here: write {{{name}|something}}.", field="text")
            return str(otherwise)
        return str(value)

    return _FIELD.sub(written, text)


def _value_of(name: str, snapshot: Snapshot, params: Mapping[str, Any]) -> Any:
    root, _, key = name.partition(".")
    if not key or root == "params":
        return params.get(key or name)
    if name not in FILLABLE:
        raise InvalidError(f"There is no field {{{name}}}.", field="text")
    return (getattr(snapshot, root) or {}).get(key)


def in_language(text: str | Mapping[str, str], language: str | None) -> str:
    """The text, or of several the one in the client's language, else a usual one, else the first."""
    if isinstance(text, str):
        return text
    for wanted in (language, *_LANGUAGES):
        if wanted is not None and wanted in text:
            return text[wanted]
    if not text:
        raise InvalidError("There is no text in any language.", field="text")
    return next(iter(text.values()))
