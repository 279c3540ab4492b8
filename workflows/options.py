"""The few named profiles of time-outs and retries, and the task queues."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from domain.actions.manifests import Retry

INTERACTIVE = "interactive"
MASS = "mass"

#: a worker that dies with a task in hand delays it by this much, not by the server's ten seconds
TASK_TIMEOUT = timedelta(seconds=3)

#: history length at which a long-lived workflow starts a fresh run
RENEW_AT = 2000

#: one transaction on the way of a person's command; the database may be away for as long as a command may wait
TRANSACTION: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=100), backoff_coefficient=2, maximum_interval=timedelta(seconds=2)
    ),
    "local_retry_threshold": timedelta(seconds=1),
}

#: one transaction that a workflow needs however long the database is away
HOUSEKEEPING: dict[str, Any] = {**TRANSACTION, "schedule_to_close_timeout": None}

#: a call to a channel's provider; refusals that may pass are retried for a day
DELIVERY: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": timedelta(seconds=4),
    "schedule_to_close_timeout": timedelta(hours=24),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(seconds=60)
    ),
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

#: a batch of items; it ends early when its run is paused, and goes on from the rows when its worker dies
BATCH: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=5),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
    ),
}

#: starting the workflows of items: repeated until Temporal takes them, harmless when it has them
STARTING: dict[str, Any] = {**BATCH, "start_to_close_timeout": timedelta(seconds=60)}


def outside(timeout: float | None, retry: Retry) -> dict[str, Any]:
    """A step that leaves the house. It is told by its activity when to try again and by the ledger when not; a wait
    for a rate limit is no attempt. `timeout` in seconds over all attempts, a day at most.
    """
    return {
        **DELIVERY,
        "schedule_to_close_timeout": timedelta(hours=24)
        if timeout is None
        else timedelta(seconds=min(86_400, timeout)),
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=retry.initial),
            backoff_coefficient=max(1.0, retry.factor),
            maximum_interval=timedelta(seconds=max(retry.longest, retry.initial)),
        ),
    }
