"""The shapes of texts and numbers that doors accept: whatever passes can be stored."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

BIGGEST = 2**31 - 1


def _storable(text: str) -> str:
    """Refuses what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("must be well-formed Unicode")
    return text


def _not_blank(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise ValueError("must not be empty")
    return stripped


Storable = AfterValidator(_storable)
KEY_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
Key = Annotated[str, Field(pattern=KEY_PATTERN, description="Small letters, digits, - and _; never changes.")]
KeyInPath = Annotated[str, Path(pattern=KEY_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=200), Storable, AfterValidator(_not_blank)]
Text = Annotated[str, Field(max_length=2000), Storable]
Email = Annotated[str, Field(max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\s*$"), Storable]
Password = Annotated[str, Field(min_length=8, max_length=200), Storable]
Count = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]
#: default of a field that may be left out but not be null, where null would mean nothing
UNSENT: Any = Field(default_factory=lambda: None)


class Body(BaseModel):
    """A request's body: an unknown field is refused, so a misspelt one does not pass for done."""

    model_config = ConfigDict(extra="forbid")

    def given(self, *leaving_out: str) -> dict[str, Any]:
        """Only the fields that were sent."""
        return self.model_dump(exclude_unset=True, exclude=set(leaving_out))


class Page(BaseModel):
    """All there is: these lists are short and come whole."""

    items: list[dict[str, Any]]
