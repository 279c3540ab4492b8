"""What every channel's room offers: one way to send, one way to ask what became of a message."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for a provider. `message_id` is our id: send it along so that the provider can be asked by it."""

    message_id: UUID
    channel: str
    address: str
    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


class NotTakenError(Exception):
    """The provider surely did not take it: try again, after `wait` when it says so."""

    def __init__(self, reason: str, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class LimitedError(NotTakenError):
    """Not taken because we send too much: no attempt of ours failed."""


class RefusedError(Exception):
    """The provider said no for good; `reason` is for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AnswerLostError(Exception):
    """The call left the house and no answer came: the provider may have taken it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotAskError(Exception):
    """The provider could not be asked just now: the doubt stays."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChannelGateway(Protocol):
    async def send(self, letter: Letter) -> str | None:
        """Answers the provider's id of the message. Raises NotTakenError, RefusedError, AnswerLostError."""

    async def ask(self, letter: Letter) -> bool | None:
        """Whether the provider has the message; None when it never tells. Raises CannotAskError."""
