"""A firing of a schedule, as it travels to the workflow that launches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Firing:
    """`position` of the schedule among its definition's triggers."""

    definition: str
    position: int


@dataclass(frozen=True, slots=True)
class FiringLook:
    workflow_id: str
    firing: Firing
    temporal_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class FiringSeen:
    """`run_id` of what was launched, None when nothing was; `is_over`: there is nothing to wait for any more."""

    run_id: str | None = None
    is_over: bool = True
    why: str | None = None
