"""When a long-lived workflow starts a fresh run, and how: from `run` only, never from a handler."""

from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import options

TURNING = "turning"


def wants_renewal() -> bool:
    """The history has grown long, or a newer build of the workers should take over."""
    info = workflow.info()
    return (
        info.get_current_history_length() > options.RENEW_AT
        or info.is_continue_as_new_suggested()
        or info.is_target_worker_deployment_version_changed()
    )


def turning() -> ApplicationError:
    """For validators, while a run is about to end: an update taken in now would keep it from ending. Ask again."""
    return ApplicationError("A fresh run is about to start; send the command again.", type=TURNING, non_retryable=True)


def renew(start: Any) -> NoReturn:
    """Continue as new; a run that was pinned to an older build moves to the current one."""
    if workflow.info().is_target_worker_deployment_version_changed():
        workflow.continue_as_new(
            start, initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
        )
    workflow.continue_as_new(start)
