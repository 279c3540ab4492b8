"""Channels as settings: where clients write, and the token that lets messages in."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.channels import require_rate, require_settings
from domain.errors import ConflictError, InUseError, InvalidError, NotFoundError
from store.settings import record_change
from store.sign_ins import digest_of, new_secret
from store.tables import Channel, Definition, Team
from store.transactions import Work

PLAIN = ("name", "reopen_window", "settings", "active")
#: what null takes away
OPTIONAL = ("rate", "reply_window", "bot_process")
_USES = text("""
SELECT (SELECT count(*) FROM (SELECT 1 FROM dialogs WHERE channel_key = :key LIMIT 1000) AS d) AS dialogs,
       (SELECT count(*) FROM (SELECT 1 FROM identities WHERE channel_key = :key LIMIT 1000) AS i) AS clients
""")


async def all_channels(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(channel) for channel in await session.scalars(select(Channel).order_by(Channel.key))]


async def get_channel(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return _told(await _find(session, key))


def _told(channel: Channel) -> dict[str, Any]:
    return {
        "key": channel.key, "kind": channel.kind, "name": channel.name, "team": channel.team_key,
        "reopen_window": channel.reopen_window, "settings": channel.settings, "active": channel.active,
        "rate": channel.rate, "reply_window": channel.reply_window, "bot_process": channel.bot_process,
        "sending_stopped_at": channel.sending_stopped_at.isoformat() if channel.sending_stopped_at else None,
        "has_token": channel.token_hash is not None, "created_at": channel.created_at.isoformat(),
    }  # fmt: skip


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """A new channel and, told this once, its `token`. Raises ConflictError, InvalidError."""
    await _require_team(work.session, given.get("team"))
    require_settings(given.get("settings") or {})
    require_rate(given.get("rate"))
    await _require_process(work.session, given.get("bot_process"))
    await work.read_clock()
    token = new_secret()
    made = await work.session.scalar(
        upsert(Channel)
        .values(
            key=given["key"], kind=given["kind"], team_key=given.get("team"), token_hash=digest_of(token),
            **_plain(given),
        )
        .on_conflict_do_nothing()
        .returning(Channel.key)
    )  # fmt: skip
    if made is None:
        raise ConflictError(f"There is a channel {given['key']!r} already.", field="key")
    told = await get_channel(work.session, made)
    record_change(work, "channel", made, None, _for_audit(told))
    return {**told, "token": token}


async def change(work: Work, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotFoundError, InvalidError."""
    channel = await _find(work.session, key, lock=True)
    before = _told(channel)
    require_settings(given.get("settings") or {})
    require_rate(given.get("rate"))
    await _require_process(work.session, given.get("bot_process"))
    await work.read_clock()
    for name, value in _plain(given).items():
        setattr(channel, name, value)
    if "team" in given:
        await _require_team(work.session, given["team"])
        channel.team_key = given["team"]
    await work.session.flush()
    after = _told(channel)
    record_change(work, "channel", key, _for_audit(before), _for_audit(after, before["settings"]))
    return after


async def set_sending(work: Work, key: str, *, stopped: bool) -> dict[str, Any]:
    """The kill switch: processes and macros send nothing here while it is on. Raises NotFoundError."""
    channel = await _find(work.session, key, lock=True)
    await work.read_clock()
    before = _told(channel)
    if stopped != (channel.sending_stopped_at is not None):
        channel.sending_stopped_at = work.now if stopped else None
        record_change(
            work, "channel", key, {"sending": "stopped" if not stopped else "on"},
            {"sending": "stopped" if stopped else "on"},
        )  # fmt: skip
    return {**before, "sending_stopped_at": _told(channel)["sending_stopped_at"]}


async def rotate_token(work: Work, key: str) -> dict[str, Any]:
    """A new token, told this once; the old one ends now. Raises NotFoundError."""
    channel = await _find(work.session, key, lock=True)
    await work.read_clock()
    token = new_secret()
    channel.token_hash = digest_of(token)
    record_change(work, "channel", key, {}, {"token": "changed"})
    return {"key": key, "token": token}


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError for a channel that somebody wrote in."""
    channel = await _find(work.session, key, lock=True, delete=True)
    uses = (await work.session.execute(_USES, {"key": key})).one()
    if where := {name: n for name, n in uses._mapping.items() if n}:
        raise InUseError("Clients have written here; deactivate it instead.", where=where)
    await work.read_clock()
    await work.session.execute(delete(Channel).where(Channel.key == key))
    record_change(work, "channel", key, _for_audit(_told(channel)), None)
    return {}


async def _find(session: AsyncSession, key: str, *, lock: bool = False, delete: bool = False) -> Channel:
    how = {"key_share": not delete} if lock else None
    channel = await session.get(Channel, key, with_for_update=how)
    if channel is None:
        raise NotFoundError(f"There is no channel {key!r}.")
    return channel


async def _require_team(session: AsyncSession, key: str | None) -> None:
    if key is None:
        return
    team = await session.get(Team, key, with_for_update={"read": True})
    if team is None or not team.active:
        raise InvalidError(f"There is no active team {key!r}.", field="team")


async def _require_process(session: AsyncSession, key: str | None) -> None:
    """It need not be active yet: until then people take the dialogs."""
    if key is None:
        return
    found = await session.get(Definition, key)
    if found is None or found.kind != "process" or found.target != "dialog" or found.archived_at is not None:
        raise InvalidError(f"There is no process {key!r} that works on dialogs.", field="bot_process")


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: given[name] for name in PLAIN if given.get(name) is not None}
    return plain | {name: given[name] for name in OPTIONAL if name in given}


def _for_audit(told: Mapping[str, Any], settings_before: Any = None) -> dict[str, Any]:
    """A channel's settings may hold secrets of its provider: the audit only says that they changed."""
    entry = {name: value for name, value in told.items() if name not in ("settings", "created_at")}
    if settings_before is not None and settings_before != told["settings"]:
        entry["settings"] = "changed"
    return entry
