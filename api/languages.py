"""In which language texts for people are answered: uk or en, as Accept-Language prefers."""

from typing import Annotated

from fastapi import Depends, Request

SPOKEN = ("en", "uk")


def preferred(header: str) -> str:
    """The spoken language with the highest quality, English when none is asked for."""
    best, found = 0.0, SPOKEN[0]
    for part in header[:500].split(","):
        name, _, quality = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        weight = _weight(quality)
        if language in SPOKEN and weight > best:
            best, found = weight, language
    return found


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if name == "q" else 1.0
    except ValueError:
        return 0.0


def language_of(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


Language = Annotated[str, Depends(language_of)]
