"""The assistant: one question, one answer. Until one is configured, every question is refused in plain words."""

from dataclasses import dataclass
from typing import Any, Protocol

from domain.walks.ports import StepError


@dataclass(frozen=True, slots=True)
class Question:
    """`task`: classify, extract, summarize, translate, reply or custom. `schema`: the shape of the answer wanted.

    `text`: what it is about; of a dialog, its newest messages, one a line.
    """

    task: str
    text: str
    instructions: str | None = None
    schema: dict[str, Any] | None = None
    knowledge: str | None = None
    model: str | None = None
    max_tokens: int | None = None


class Assistant(Protocol):
    async def ask(self, question: Question) -> dict[str, Any]:
        """`{"text": …}`, or what the schema describes. Raises StepError."""


class NotConfigured:
    """Stands where no assistant is set up."""

    async def ask(self, question: Question) -> dict[str, Any]:
        raise StepError("invalid", "The assistant is not configured: ask an administrator to set one up.")
