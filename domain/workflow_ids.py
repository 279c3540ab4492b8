"""Names of workflows, made and parsed here only: `kind:rest`."""

from uuid import UUID

DIALOG, TRANSFER, PRESENCE, TEAM, SLA = "dialog", "transfer", "presence", "team", "sla"
PROBE = "probe"
MASS, PROCESS, MACRO, LAUNCH, SCHEDULE = "mass", "process", "macro", "launch", "schedule"


def of_dialog(dialog_id: UUID) -> str:
    return f"{DIALOG}:{dialog_id}"


def of_transfer(transfer_id: UUID) -> str:
    return f"{TRANSFER}:{transfer_id}"


def of_presence(operator_id: UUID) -> str:
    return f"{PRESENCE}:{operator_id}"


def of_clocks(dialog_id: UUID) -> str:
    """All clocks of one dialog."""
    return f"{SLA}:{dialog_id}"


def of_team(key: str) -> str:
    """Not a workflow: the address of reactions that the relay itself carries out."""
    return f"{TEAM}:{key}"


def of_mass(run_id: UUID) -> str:
    """The run of a process, over one item or many."""
    return f"{MASS}:{run_id}"


def of_item(run_id: UUID, seq: int) -> str:
    """An item that waits, sends or calls out."""
    return f"{PROCESS}:{run_id}:{seq}"


def of_macro(run_id: UUID) -> str:
    return f"{MACRO}:{run_id}"


def of_launch(definition: str, position: int) -> str:
    """Temporal adds the moment of each firing."""
    return f"{LAUNCH}:{definition}:{position}"


def of_schedule(definition: str) -> str:
    """Not a workflow: the address of reactions that the relay itself carries out."""
    return f"{SCHEDULE}:{definition}"


def item_of(rest: str) -> tuple[UUID, int]:
    """run and seq of the rest of a process's id."""
    run_id, _, seq = rest.partition(":")
    return UUID(run_id), int(seq)


def parse(workflow_id: str) -> tuple[str, str]:
    """kind and rest."""
    kind, _, rest = workflow_id.partition(":")
    return kind, rest
