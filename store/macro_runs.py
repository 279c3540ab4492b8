"""Macros of a dialog: which of them somebody may run on it, and what a run of one came to."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Viewer
from domain.runs import why_skipped
from store.dialog_rows import require_readable
from store.launch_menus import startable
from store.traces import trace_of

_RESULT = text("""
SELECT r.status, r.error AS run_error, r.message AS run_message, i.state, i.message, i.outputs, i.reason,
       i.error_type, i.error_step, i.error_message, i.needs_attention
FROM runs r LEFT JOIN run_items i ON i.run_id = r.id AND i.seq = 1 WHERE r.id = :run
""")


async def macros_for(session: AsyncSession, viewer: Viewer, dialog_id: UUID) -> list[dict[str, Any]]:
    """Active macros that the viewer may run on this dialog, by title. Raises NotFoundError."""
    await require_readable(session, viewer, dialog_id)
    return [
        {
            "key": d.key, "version": v.number, "title": v.canonical.get("title", d.title), "summary": d.summary,
            "category": d.category, "icon": d.icon, "tags": d.tags, "has_inputs": bool(v.canonical.get("inputs")),
        }
        for d, v in await startable(session, viewer, "macro")
    ]  # fmt: skip


async def result_of(session: AsyncSession, run_id: UUID) -> dict[str, Any]:
    """{run_id, status, message, outputs, steps, error} of a macro's run as it stands now; `skipped` where the dialog
    was passed over.
    """
    row = (await session.execute(_RESULT, {"run": run_id})).one()
    error = row.run_error
    if row.error_type is not None:
        error = {"type": row.error_type, "step": row.error_step, "message": row.error_message}
    elif row.state == "skipped" and row.reason:
        error = {"type": "skipped", "step": None, "message": row.message or why_skipped(row.reason)}
    is_skipped = row.state == "skipped" and row.status == "succeeded"
    steps = await trace_of(session, run_id, 1)
    return {
        "run_id": str(run_id), "status": "skipped" if is_skipped else row.status,
        "message": row.message or row.run_message,
        "outputs": row.outputs or [], "needs_attention": bool(row.needs_attention), "error": error,
        "steps": [{name: step[name] for name in ("id", "title", "kind", "status", "ms", "error")} for step in steps],
    }  # fmt: skip
