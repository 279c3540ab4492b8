"""A rule's refusal as the failure of an update: typed by its code, never retried."""

from temporalio.exceptions import ApplicationError

from domain.commands import Outcome


def refusal(outcome: Outcome) -> ApplicationError:
    """`details` carry the extra facts, the message is the truth for the person."""
    return ApplicationError(
        outcome.answer.get("detail", "Refused."),
        outcome.answer.get("extra", {}),
        type=outcome.refusal,
        non_retryable=True,
    )
