"""Looking things up."""

from typing import Any

from sqlalchemy import and_, or_, select, text, true

from domain.actions.readings import FindDialogs, FindOperators, GetDialog
from domain.errors import InvalidError
from domain.permissions import Permission
from domain.selections import read
from domain.walks.ports import StepError
from store.conditions import compile_tree
from store.deeds.stages import Handler, Stage
from store.dialog_lists import visible
from store.snapshots import moment, snapshot_of
from store.tables import Contact, Dialog, User

_OPERATORS = text("""
SELECT u.id, u.name, u.email, o.status, o.max_dialogs, coalesce(r.n, 0) AS load,
       coalesce(l.lease_until > clock_timestamp(), false) AS connected,
       ARRAY(SELECT team_key FROM team_members m WHERE m.user_id = u.id ORDER BY team_key) AS teams
FROM users u JOIN operators o ON o.user_id = u.id LEFT JOIN presence_leases l ON l.operator_id = u.id
LEFT JOIN LATERAL (SELECT count(*) AS n FROM reservations v WHERE v.operator_id = u.id
                   AND (v.expires_at IS NULL OR v.expires_at > clock_timestamp())) AS r ON true
WHERE u.is_active
  AND (CAST(:status AS text) IS NULL OR o.status = :status AND (:status <> 'online'
                                                                OR l.lease_until > clock_timestamp()))
  AND (CAST(:team AS text) IS NULL OR EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id
                                              AND m.team_key = :team))
  AND (CAST(:role AS text) IS NULL OR EXISTS (SELECT 1 FROM user_roles x WHERE x.user_id = u.id
                                              AND x.role_key = :role))
  AND (NOT :room OR o.status = 'online' AND l.lease_until > clock_timestamp() AND coalesce(r.n, 0) < o.max_dialogs)
  AND (:everybody OR EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id AND m.team_key = ANY(:mine)))
ORDER BY coalesce(r.n, 0), u.name, u.id LIMIT :limit
""")


async def get_dialog(stage: Stage, p: GetDialog) -> dict[str, Any]:
    """The dialog as it is now; message texts only for who may read them."""
    stage.require_scene()
    if p.messages and not stage.viewer.may(Permission.DIALOG_READ_TEXTS):
        raise StepError("forbidden", f"{stage.viewer.name} may not read messages.")
    await stage.work.session.flush()
    seen = await snapshot_of(stage.work.session, stage.dialog_id, stage.contact_id, messages=p.messages)
    stage.read = seen
    return dict(seen.dialog or {})


async def find_dialogs(stage: Stage, p: FindDialogs) -> dict[str, Any]:
    """Those the launcher may read, newest first."""
    conditions = [or_(*(and_(true(), *branch) for branch in visible(stage.viewer)))]
    if p.where is not None:
        try:
            conditions.append(compile_tree(read(p.where, "dialog")))
        except InvalidError as error:
            raise StepError("invalid", error.detail, details={"parameter": "where"}) from error
    if p.status is not None:
        asked = [p.status] if isinstance(p.status, str) else list(p.status)
        conditions.append(or_(Dialog.status.in_(asked), Dialog.place.in_(asked)))
    if p.team is not None:
        conditions.append(Dialog.team_key == p.team)
    await stage.work.session.flush()
    rows = await stage.work.session.execute(
        select(
            Dialog.id, Dialog.number, Dialog.kind, Dialog.status, Dialog.place, Dialog.team_key, Dialog.topic_key,
            Dialog.operator_id, User.name, Dialog.contact_id, Contact.name.label("contact_name"),
            Dialog.last_message_at, Dialog.opened_at,
        )
        .join(Contact, Contact.id == Dialog.contact_id)
        .outerjoin(User, User.id == Dialog.operator_id)
        .where(*conditions)
        .order_by(Dialog.id.desc())
        .limit(p.limit)
    )  # fmt: skip
    items = [
        {
            "id": str(r.id), "number": r.number, "kind": r.kind, "status": r.status, "place": r.place,
            "team": r.team_key, "topic": r.topic_key, "operator_id": str(r.operator_id) if r.operator_id else None,
            "operator_name": r.name, "contact_id": str(r.contact_id), "contact_name": r.contact_name,
            "last_message_at": moment(r.last_message_at), "opened_at": moment(r.opened_at),
        }
        for r in rows
    ]  # fmt: skip
    return {"count": len(items), "items": items}


async def find_operators(stage: Stage, p: FindOperators) -> dict[str, Any]:
    """Colleagues of the launcher's teams (everybody for who leads all), least loaded first."""
    await stage.work.session.flush()
    given = {
        "status": p.status, "team": p.team, "role": p.role, "room": p.room, "limit": p.limit,
        "everybody": stage.viewer.sees_all, "mine": sorted(stage.viewer.teams),
    }  # fmt: skip
    rows = await stage.work.session.execute(_OPERATORS, given)
    items = [
        {
            "id": str(r.id), "name": r.name, "email": r.email, "status": r.status, "connected": r.connected,
            "load": r.load, "limit": r.max_dialogs, "teams": list(r.teams),
        }
        for r in rows
    ]  # fmt: skip
    return {"count": len(items), "items": items}


DEEDS: dict[str, Handler] = {"get_dialog": get_dialog, "find_dialogs": find_dialogs, "find_operators": find_operators}
