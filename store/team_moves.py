"""When the ground under a team's dialogs moves: automatic or by hand, or another team altogether (DECISIONS 19)."""

from typing import Any

from sqlalchemy import func, select, text, update

from domain.dialogs import WAITING, Place, place_when_waiting
from domain.errors import InUseError, InvalidError
from domain.events import Fact
from store.distribution import drain
from store.tables import Channel, Dialog, Setting, Team
from store.transactions import Work

_OPEN = text("""
SELECT count(*) FILTER (WHERE place IN ('queued', 'unassigned')) AS waiting,
       count(*) FILTER (WHERE place = 'owned') AS held, count(*) FILTER (WHERE place = 'bot') AS with_bots
FROM dialogs WHERE team_key = :team AND status <> 'closed'
""")


async def switch_automatic(work: Work, team: Team) -> None:
    """Move the waiting dialogs between the two pools as `team.auto` now says. The caller drains."""
    place, before = (Place.QUEUED, Place.UNASSIGNED) if team.auto else (Place.UNASSIGNED, Place.QUEUED)
    waiting = await work.session.scalars(
        select(Dialog)
        .where(Dialog.team_key == team.key, Dialog.place == before)
        .order_by(Dialog.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for dialog in waiting:
        dialog.place = place
        work.record(
            Fact.DIALOG_QUEUED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=team.key,
            before={"place": before.value}, after={"place": place.value},
            cause="auto_on" if team.auto else "auto_off", weight=dialog.weight,
        )  # fmt: skip
    await work.session.flush()


async def retire(work: Work, team: Team, move_to: str | None) -> None:
    """The team was made inactive: nothing may point at it any more. With `move_to` its dialogs, channels and its part
    as default team go there; without it they forbid it.

    Raises InUseError naming what points at the team, InvalidError for a target that is not an active team.
    """
    if move_to is None:
        if where := await _uses(work, team.key):
            raise InUseError("This team is in use: say in move_to which team takes over.", where=where)
        return
    target = await work.session.get(Team, move_to, with_for_update={"read": True})
    if target is None or not target.active or target.key == team.key:
        raise InvalidError(f"There is no other active team {move_to!r}.", field="move_to")
    await _move_dialogs(work, team, target)
    await work.session.execute(update(Channel).where(Channel.team_key == team.key).values(team_key=target.key))
    default = await work.session.get(Setting, "default_team")
    if default is not None and default.value == team.key:
        default.value = target.key
    await work.session.flush()
    await drain(work, {target.key}, cause="team_retired")


async def _move_dialogs(work: Work, team: Team, target: Team) -> None:
    moving = await work.session.scalars(
        select(Dialog)
        .where(Dialog.team_key == team.key, Dialog.status != "closed")
        .order_by(Dialog.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for dialog in moving:
        dialog.team_key = target.key
        if dialog.place in WAITING:
            dialog.place = place_when_waiting(auto=target.auto)
        work.record(
            Fact.DIALOG_TEAM_CHANGED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=target.key,
            operator_id=dialog.operator_id, before={"team": team.key}, after={"team": target.key},
            cause="team_retired",
        )  # fmt: skip
    await work.session.flush()


async def _uses(work: Work, key: str) -> dict[str, Any]:
    """What points at the team and is still alive; empty = nothing."""
    counts = (await work.session.execute(_OPEN, {"team": key})).one()
    where: dict[str, Any] = {name: n for name, n in counts._mapping.items() if n}
    channels = await work.session.scalars(select(Channel.key).where(Channel.team_key == key).order_by(Channel.key))
    if found := list(channels):
        where["channels"] = found
    default = await work.session.get(Setting, "default_team")
    if default is not None and default.value == key:
        where["settings"] = ["default_team"]
    return where


async def require_never_used(work: Work, key: str) -> None:
    """Raises InUseError when anything, past or present, names the team: then it can only be deactivated."""
    where = await _uses(work, key)
    past = await work.session.scalar(select(func.count()).select_from(Dialog).where(Dialog.team_key == key))
    handed = await work.session.scalar(text("SELECT count(*) FROM transfers WHERE to_team = :team"), {"team": key})
    if past:
        where["dialogs"] = past
    if handed:
        where["transfers"] = handed
    if where:
        raise InUseError("This team has a past: deactivate it instead.", where=where)
