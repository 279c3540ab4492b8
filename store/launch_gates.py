"""What stands between a frozen selection and its beginning: the number confirmed, somebody else's yes."""

from collections.abc import Mapping
from typing import Any

from domain.errors import ConfirmationNeededError
from domain.launches import LaunchOrder
from store import approvals
from store.approval_facts import facts_of
from store.ids import new_id
from store.json_values import storable
from store.run_wakes import workflow_of
from store.tables import Approval, Run
from store.transactions import Work


def require_confirmed(order: LaunchOrder, canonical: Mapping[str, Any], pending: int) -> None:
    above = (canonical.get("mass") or {}).get("confirm_above")
    if above is None or order.is_dry or order.trigger_kind not in ("manual", "retry"):
        return
    if pending > above and order.confirm != pending:
        raise ConfirmationNeededError(
            f"This is about {pending} items: confirm their number.", total=pending, confirm_above=above
        )


def needs_approval(run: Run, order: LaunchOrder, pending: int) -> bool:
    above = (run.canonical.get("mass") or {}).get("approval_above")
    return above is not None and pending > above and not order.is_dry and run.kind == "process"


async def ask(work: Work, run: Run) -> None:
    """`mass.approval_above`: no workflow begins before somebody who leads has said yes."""
    run.status = "awaiting_approval"
    row = Approval(
        id=new_id(), run_id=run.id, seq=0, step_id=approvals.LAUNCH, key=f"{run.id}:{approvals.LAUNCH}",
        workflow_id=workflow_of(run), may_decide={"roles": ["supervisor", "admin"]}, launched_by=run.launched_by,
        message=f"{run.title}: {run.total}", facts=storable(await facts_of(work, run, 0)),
        needed=1, allow_self=False, votes=[], state="open", created_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    await work.session.flush()
    await approvals.tell_deciders(work, run, row)
