"""Where a run may write to a contact: at which address, in which dialog, and whether one may write there now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from domain import dialogs as rules
from domain.errors import DomainError
from domain.events import Fact
from domain.permissions import require_acting
from domain.walks.ports import StepError
from domain.windows import is_open
from domain.workflow_ids import of_dialog
from store import settings
from store.deeds.stages import Stage, step_error
from store.dialogs import Scene, lock_scene
from store.ids import new_id
from store.tables import Channel, ContactIdentity, Dialog, Team
from store.topics import team_of_topic
from store.transactions import GroundMovedError, team_keys_of

_WAYS = """
SELECT c.key, c.kind, c.team_key, c.active, c.reply_window, c.sending_stopped_at IS NOT NULL AS is_stopped,
       i.id AS identity_id, i.address, used.heard_at, used.used_at
FROM identities i JOIN channels c ON c.key = i.channel_key
LEFT JOIN LATERAL (SELECT max(last_client_message_at) AS heard_at, max(last_message_at) AS used_at
                   FROM dialogs d WHERE d.identity_id = i.id) AS used ON true
"""
#: a channel's key goes before a kind of the same name; of a kind, the contact's last used channel (DECISIONS 37)
_WAY_TO = text(f"""{_WAYS}
WHERE i.contact_id = :contact AND (c.key = :channel OR c.kind = :channel)
ORDER BY c.key = :channel DESC, c.active DESC, used.used_at DESC NULLS LAST, i.id DESC LIMIT 1
""")
_WAY_OF_IDENTITY = text(f"{_WAYS} WHERE i.id = :identity")
_OPEN_DIALOG = text("""
SELECT id FROM dialogs WHERE identity_id = :identity AND channel_key = :channel AND thread = ''
AND status <> 'closed' AND kind <> 'ticket'
""")


@dataclass(frozen=True, slots=True)
class Way:
    """One address of a contact in one channel. `is_window_open`: a free message may be sent now."""

    channel: str
    kind: str
    team: str | None
    identity_id: UUID
    is_window_open: bool


def require_may_say(stage: Stage) -> None:
    """A launcher says in the item's dialog what he or she might say there by hand, and in a dialog that the run itself
    began; what a run of the system's own says is no person's. Raises StepError (forbidden).
    """
    if stage.run.is_system or stage.scene is None or stage.scene.dialog.bot_run == stage.run.id:
        return
    try:
        require_acting(stage.viewer, stage.scene.relation, is_waiting=stage.scene.dialog.place in rules.WAITING)
    except DomainError as error:
        raise step_error(error) from error


async def way_in(stage: Stage, dialog: Dialog) -> Way:
    """The way the dialog itself goes. Raises StepError when nothing may be sent there now."""
    row = (await stage.work.session.execute(_WAY_OF_IDENTITY, {"identity": dialog.identity_id})).one()
    return await _usable(stage, row)


async def way_to(stage: Stage, contact_id: UUID, channel: str) -> Way:
    """The contact's address in a channel, named by its key or its kind. Raises StepError: not_found, channel_error."""
    given = {"contact": contact_id, "channel": channel}
    row = (await stage.work.session.execute(_WAY_TO, given)).one_or_none()
    if row is None:
        raise StepError("not_found", f"The client has no address in {channel}.", details={"channel": channel})
    return await _usable(stage, row)


async def _usable(stage: Stage, row: Any) -> Way:
    if not row.active:
        raise StepError("channel_error", f"The channel {row.key} is not active.", details={"channel": row.key})
    if row.is_stopped or await settings.value_of(stage.work.session, "sending_stopped"):
        where = f"in {row.key}" if row.is_stopped else "everywhere"
        details = {"kill_switch": True, "channel": row.key}
        raise StepError("channel_error", f"Sending is stopped {where}.", details=details)
    heard: datetime | None = row.heard_at
    open_now = is_open(row.kind, row.reply_window, heard, stage.work.now)
    return Way(row.key, row.kind, row.team_key, row.identity_id, open_now)


async def keep_address(stage: Stage, contact_id: UUID, channel: str, address: str) -> None:
    """Make an address known as the contact's, unless it is. `channel`: a key, or a kind that has an active channel.

    Raises StepError for an unknown channel, and for an address of somebody else.
    """
    session = stage.work.session
    by_key = (Channel.key == channel).desc()
    key = await session.scalar(
        select(Channel.key)
        .where((Channel.key == channel) | (Channel.kind == channel), Channel.active)
        .order_by(by_key, Channel.created_at, Channel.key)
        .limit(1)
    )
    if key is None:
        raise StepError("not_found", f"There is no active channel {channel!r}.", details={"channel": channel})
    row = {"id": new_id(), "contact_id": contact_id, "channel_key": key, "address": address}
    await session.execute(insert(ContactIdentity).values(**row).on_conflict_do_nothing())
    owner = await session.scalar(
        select(ContactIdentity.contact_id).where(ContactIdentity.channel_key == key, ContactIdentity.address == address)
    )
    if owner != contact_id:
        raise StepError("conflict", "This address belongs to another client.", details={"contact_id": str(owner)})


async def open_dialog_on(stage: Stage, way: Way) -> UUID | None:
    given = {"identity": way.identity_id, "channel": way.channel}
    found: UUID | None = await stage.work.session.scalar(_OPEN_DIALOG, given)
    return found


async def lock_other(stage: Stage, dialog_id: UUID) -> Scene:
    """Another dialog than the item's, locked. Raises TeamsNeededError, GroundMovedError."""
    work = stage.work
    if work.teams:
        dialog = await work.session.get_one(Dialog, dialog_id)
        stage.require_teams({dialog.team_key, *await team_keys_of(work.session, (dialog.operator_id,))})
    return await lock_scene(work, dialog_id)


async def team_for(stage: Stage, way: Way) -> str:
    """Raises InvalidError when nothing says which team."""
    return await team_of_topic(stage.work.session, None, way.team)


async def begin_dialog(stage: Stage, way: Way, contact_id: UUID, *, team: str | None = None) -> Scene:
    """A new dialog in which the run speaks (place bot). Raises InvalidError when nothing says which team, StepError
    for one that is not active, GroundMovedError when the client has just begun a dialog there.
    """
    work = stage.work
    if team is not None and not await work.session.scalar(select(Team.active).where(Team.key == team)):
        raise StepError("not_found", f"There is no active team {team!r}.")
    team = team or await team_for(stage, way)
    if work.teams:
        stage.require_teams({team})
    row = {
        "id": new_id(), "kind": rules.Kind.CHAT, "status": rules.Status.NEW, "place": rules.Place.BOT,
        "channel_key": way.channel, "identity_id": way.identity_id, "contact_id": contact_id, "thread": "",
        "team_key": team, "opened_at": work.now, "bot_run": stage.run.id,
    }  # fmt: skip
    made = await work.session.scalar(insert(Dialog).values(**row).on_conflict_do_nothing().returning(Dialog.id))
    if made is None:
        raise GroundMovedError
    scene = await lock_scene(work, made)
    work.react(of_dialog(made), "dialog_opened")
    work.record(
        Fact.DIALOG_OPENED, **scene.event_ids, channel=way.channel, kind=scene.dialog.kind, topic=None, by_run=True
    )
    return scene
