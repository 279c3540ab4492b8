"""Questions that runs put to people: opened by a step (or by `mass.approval_above`), decided by those it names."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.inputs import InputField
from domain.errors import AlreadyDecidedError, ForbiddenError, InvalidInputsError, NotFoundError, OwnLaunchError
from domain.launch_rights import is_among
from domain.permissions import Permission, Viewer
from domain.run_inputs import check
from domain.run_messages import Bearings
from domain.runs import ENDED
from domain.walks.ports import Asking, Decided
from store import tellings
from store.approval_facts import facts_of
from store.ids import new_id
from store.json_values import storable, storable_text
from store.run_wakes import wake, workflow_of
from store.runs import end_pending, lock_run, settle, totals_of
from store.tables import Approval, Run, User
from store.transactions import Work

#: the question of a launch above `mass.approval_above`: no workflow has begun yet
LAUNCH = "launch"
LONGEST_COMMENT = 2_000
#: where nobody is named, those who control runs
_DECIDERS = text("""
SELECT u.id FROM users u
WHERE u.is_active AND u.id IS DISTINCT FROM CAST(:not_me AS uuid) AND (
    EXISTS (SELECT FROM user_roles r WHERE r.user_id = u.id AND r.role_key = ANY(CAST(:roles AS text[])))
    OR EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.team_key = ANY(CAST(:teams AS text[])))
    OR u.id::text = ANY(CAST(:users AS text[])) OR lower(u.email) = ANY(CAST(:users AS text[]))
    OR (CAST(:roles AS text[]) || CAST(:teams AS text[]) || CAST(:users AS text[]) = '{}' AND EXISTS (
        SELECT FROM user_roles r JOIN role_permissions p ON p.role_key = r.role_key
        WHERE r.user_id = u.id AND p.permission = :control)))
ORDER BY u.id LIMIT :most
""")


async def open(work: Work, bearings: Bearings, asking: Asking) -> Approval:
    """The question's row; a second time under the same key answers the first. A question of the phase before the items
    holds the whole run: its status says so. Those who may decide are told.
    """
    run = await lock_run(work, bearings.run_id)
    key = f"{run.id}:{asking.key}"
    known = await work.session.scalar(select(Approval).where(Approval.key == key))
    if known is not None:
        return known
    deadline = None if asking.seconds is None else work.now + timedelta(seconds=asking.seconds)
    row = Approval(
        id=new_id(), run_id=run.id, seq=bearings.seq, step_id=asking.step, key=key,
        workflow_id=bearings.workflow_id, may_decide=storable(asking.may_decide), needed=asking.count,
        allow_self=asking.allow_self, launched_by=run.launched_by, message=storable_text(asking.message) or "",
        facts=storable(await facts_of(work, run, bearings.seq)), form=storable(asking.form), deadline=deadline,
        state="open", votes=[], created_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    if bearings.seq == 0 and run.status == "running":
        run.status = "awaiting_approval"
    await work.session.flush()
    await tell_deciders(work, run, row)
    return row


async def tell_deciders(work: Work, run: Run, row: Approval) -> None:
    """A notice for everybody who may decide, once."""
    named = row.may_decide
    given = {
        "roles": list(named.get("roles") or ()), "teams": list(named.get("teams") or ()),
        "users": [str(user).lower() for user in named.get("users") or ()], "control": Permission.RUNS_CONTROL.value,
        "not_me": None if row.allow_self else row.launched_by, "most": tellings.MOST_TOLD,
    }  # fmt: skip
    people = list(await work.session.scalars(_DECIDERS, given))
    outer, work.run_id = work.run_id, run.id
    await tellings.tell(
        work, people, row.message[:2000], key=f"approval:{row.id}", title=run.title, link=f"/approvals/{row.id}"
    )
    work.run_id = outer


async def judge(work: Work, approval_id: UUID) -> Decided | None:
    """How a question was decided, None while it is open. A passed deadline is settled here. Reads the clock."""
    row = await _lock(work, approval_id)
    await work.read_clock()
    if _is_late(row, work):
        await _expire(work, row)
    return decided(row)


async def expire(work: Work, approval_id: UUID) -> bool:
    """Settle a question whose deadline has passed; False when there is nothing to settle."""
    row = await _lock(work, approval_id)
    await work.read_clock()
    if not _is_late(row, work):
        return False
    await _expire(work, row)
    return True


async def _expire(work: Work, row: Approval) -> None:
    row.state, row.decided_at = "expired", row.deadline
    await _go_on(work, await work.session.get_one(Run, row.run_id), row)


async def _go_on(work: Work, run: Run, row: Approval) -> None:
    """A settled question holds its run no longer, unless another one beside it still does."""
    if row.seq != 0:
        return
    await work.session.flush()
    beside = select(Approval.id).where(Approval.run_id == run.id, Approval.seq == 0, Approval.state == "open")
    if await work.session.scalar(beside.limit(1)) is None:
        _release(run, "running")


def _release(run: Run, status: str) -> None:
    """The question no longer holds the run; whoever paused it meanwhile still does."""
    if run.status == "awaiting_approval":
        run.status = status
    elif run.status == "paused" and run.paused_from == "awaiting_approval":
        run.paused_from = status


def decided(row: Approval) -> Decided | None:
    if row.state == "open":
        return None
    at = row.decided_at.isoformat() if row.decided_at else None
    if row.state not in ("approved", "rejected"):
        return Decided(None, at=at)
    last: dict[str, Any] = row.votes[-1] if row.votes else {}
    return Decided(row.state == "approved", last.get("by"), at, last.get("comment"), last.get("form"))


def _is_late(row: Approval, work: Work) -> bool:
    return row.state == "open" and row.deadline is not None and work.now >= row.deadline


async def _lock(work: Work, approval_id: UUID) -> Approval:
    """Locks the run first: those who decide it, pause it and cancel it come one after another."""
    run_id = await work.session.scalar(select(Approval.run_id).where(Approval.id == approval_id))
    if run_id is None:
        raise NotFoundError("There is no such question.")
    await lock_run(work, run_id)
    found = await work.session.scalars(
        select(Approval).where(Approval.id == approval_id).with_for_update().execution_options(populate_existing=True)
    )
    return found.one()


async def decide(
    work: Work, viewer: Viewer, approval_id: UUID, approved: bool, comment: str | None, form: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A person's vote. One against ends it; as many for it as are needed end it, too.

    Raises NotFoundError, ForbiddenError, OwnLaunchError (the launcher, unless the step allows it), AlreadyDecidedError
    (also after its deadline, or for a second vote), InvalidInputsError.
    """
    actor_run = work.run_id
    row = await _lock(work, approval_id)
    run = await work.session.get_one(Run, row.run_id)
    await _require_may_decide(work.session, viewer, row)
    if row.state != "open" or _is_late(row, work):
        raise AlreadyDecidedError("It is decided, or its time is over.", state=row.state)
    if any(vote["by"] == str(viewer.user_id) for vote in row.votes):
        raise AlreadyDecidedError("You have decided already.", state=row.state)
    filled = _fill(row, form, work) if approved else None
    vote = {
        "by": str(viewer.user_id), "name": viewer.name, "approved": approved, "at": work.now.isoformat(),
        "comment": (comment or "")[:LONGEST_COMMENT] or None, "form": filled,
    }  # fmt: skip
    row.votes = storable([*row.votes, vote])
    if not approved:
        row.state = "rejected"
    elif sum(1 for one in row.votes if one["approved"]) >= row.needed:
        row.state = "approved"
    if row.state != "open":
        row.decided_at = work.now
        await _tell(work, run, row)
    work.run_id = actor_run
    await work.session.flush()
    return told_of(row, run, viewer)


async def _require_may_decide(session: AsyncSession, viewer: Viewer, row: Approval) -> None:
    named = row.may_decide
    email = await session.scalar(select(User.email).where(User.id == viewer.user_id)) if named.get("users") else None
    if not _names_somebody(row):
        viewer.require(Permission.RUNS_CONTROL)
    elif not is_among(viewer, named, email):
        raise ForbiddenError("Others were asked to decide this.")
    if row.launched_by == viewer.user_id and not row.allow_self:
        raise OwnLaunchError("You launched this run: somebody else has to decide.")


def _fill(row: Approval, form: Mapping[str, Any] | None, work: Work) -> dict[str, Any] | None:
    if not row.form:
        return None
    fields = {name: InputField.model_validate(one) for name, one in row.form.items()}
    checked = check(fields, form or {}, {}, work.now)
    if checked.errors:
        raise InvalidInputsError(checked.errors[0]["message"], errors=checked.errors)
    return checked.values


async def _tell(work: Work, run: Run, row: Approval) -> None:
    """The run goes on, or (a launch that was refused) ends before it began."""
    if run.status in ENDED:
        return
    if row.step_id == LAUNCH and row.key == f"{run.id}:{LAUNCH}":
        if row.state == "approved":
            _release(run, "queued")
            if run.status == "queued":
                work.react(workflow_of(run), "run_queued", not_before=run.start_at)
            return
        run.reason = "rejected"
        await end_pending(work, run.id, "cancelled", "rejected")
        await settle(work, run, await totals_of(work.session, run.id))
        return
    await _go_on(work, run, row)
    await wake(work, row.workflow_id, "decided")


async def list_open(session: AsyncSession, viewer: Viewer) -> list[dict[str, Any]]:
    """What waits for this person's decision, oldest first."""
    email = await session.scalar(select(User.email).where(User.id == viewer.user_id))
    rows = await session.execute(
        select(Approval, Run)
        .join(Run, Run.id == Approval.run_id)
        .where(Approval.state == "open")
        .order_by(Approval.created_at, Approval.id)
        .limit(1_000)
    )
    return [told_of(row, run, viewer) for row, run in rows if _is_asked(viewer, row, email)]


def _is_asked(viewer: Viewer, row: Approval, email: str | None) -> bool:
    if row.launched_by == viewer.user_id and not row.allow_self:
        return False
    if any(vote["by"] == str(viewer.user_id) for vote in row.votes):
        return False
    return is_among(viewer, row.may_decide, email) if _names_somebody(row) else viewer.may(Permission.RUNS_CONTROL)


def _names_somebody(row: Approval) -> bool:
    return any(row.may_decide.get(kind) for kind in ("roles", "teams", "users"))


async def get_approval(session: AsyncSession, viewer: Viewer, approval_id: UUID) -> dict[str, Any]:
    """Raises NotFoundError for whoever was not asked, did not launch the run and controls no runs."""
    row = await session.get(Approval, approval_id)
    email = await session.scalar(select(User.email).where(User.id == viewer.user_id))
    may_look = row is not None and (
        (_names_somebody(row) and is_among(viewer, row.may_decide, email))
        or row.launched_by == viewer.user_id
        or viewer.may(Permission.RUNS_CONTROL)
    )
    if row is None or not may_look:
        raise NotFoundError("There is no such question.")
    return told_of(row, await session.get_one(Run, row.run_id), viewer)


def seen_facts(row: Approval, *, with_texts: bool) -> dict[str, Any]:
    """Whoever may not read what is said to clients sees that something would be said."""
    if with_texts:
        return row.facts
    return row.facts | {"messages": [one | {"text": None} for one in row.facts.get("messages") or ()]}


def told_of(row: Approval, run: Run, viewer: Viewer) -> dict[str, Any]:
    facts = seen_facts(row, with_texts=viewer.may(Permission.DIALOG_READ_TEXTS))
    return {
        "id": str(row.id), "run_id": str(row.run_id), "run_number": run.number, "definition": run.definition_key,
        "title": run.title, "seq": row.seq, "step": row.step_id, "message": row.message, "facts": facts,
        "form": row.form, "may_decide": row.may_decide, "needed": row.needed, "allow_self": row.allow_self,
        "launched_by": str(row.launched_by) if row.launched_by else None, "state": row.state, "votes": row.votes,
        "deadline": row.deadline.isoformat() if row.deadline else None, "created_at": row.created_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
    }  # fmt: skip
