"""Names of workflows, made and parsed here only: `kind:rest`."""

from uuid import UUID

DIALOG, TRANSFER, PRESENCE, TEAM = "dialog", "transfer", "presence", "team"
PROBE = "probe"


def of_dialog(dialog_id: UUID) -> str:
    return f"{DIALOG}:{dialog_id}"


def of_transfer(transfer_id: UUID) -> str:
    return f"{TRANSFER}:{transfer_id}"


def of_presence(operator_id: UUID) -> str:
    return f"{PRESENCE}:{operator_id}"


def of_team(key: str) -> str:
    """Not a workflow: the address of reactions that the relay itself carries out."""
    return f"{TEAM}:{key}"


def parse(workflow_id: str) -> tuple[str, str]:
    """kind and rest."""
    kind, _, rest = workflow_id.partition(":")
    return kind, rest
