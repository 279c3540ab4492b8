"""Refusals as the failure of an update: typed by their code, never retried."""

from collections.abc import Collection, Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.commands import Outcome, Request


def refusal(outcome: Outcome) -> ApplicationError:
    """`details` carry the extra facts, the message is the truth for the person."""
    return ApplicationError(
        outcome.answer.get("detail", "Refused."),
        outcome.answer.get("extra", {}),
        type=outcome.refusal,
        non_retryable=True,
    )


def require_request(name: str, args: Sequence[RawValue], *, among: Collection[str]) -> None:
    """For validators: one Request whose command is `name`, else it is refused before anything enters the history."""
    if name not in among:
        raise _invalid(f"There is no command {name!r} here.")
    if len(args) != 1:
        raise _invalid(f"{name} takes one request.")
    try:
        request = workflow.payload_converter().from_payload(args[0].payload, Request)
    except Exception as error:
        raise _invalid(f"{name} takes a request: {type(error).__name__}.") from None
    if not isinstance(request, Request) or request.command.kind != name:
        raise _invalid(f"The request is not one for {name}.")


def _invalid(why: str) -> ApplicationError:
    return ApplicationError(why, type="invalid", non_retryable=True)
