"""A contact centre in which anything may happen at any moment: one list of acts for whoever wants to break it.

`pick` chooses: hypothesis draws, a hunt throws dice. A refusal is an answer; any other error reaches the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.commands import (
    Accept,
    AddParticipant,
    AddTag,
    Assign,
    Cancel,
    Close,
    Command,
    Connect,
    Convert,
    Decline,
    RemoveTag,
    Reopen,
    Say,
    SetPriority,
    SetStatus,
    SetTopic,
    Take,
    Transfer,
    Unassign,
)
from domain.errors import DomainError
from domain.permissions import Permission, Viewer
from domain.presence import Presence
from store import teams, users
from store.engines import Sessions
from store.tickets import Client
from store.transactions import Actor, transact
from tests.store.stage import Stage
from tests.store.ticketing import opens

Pick = Callable[[Sequence[Any]], Any]
ADMIN = Viewer(UUID(int=1), "Admin", frozenset({"admin"}), frozenset(p.value for p in Permission), frozenset())
TEAMS = ("support", "sales", "manual")
#: who → teams and limit
OPERATORS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "olha": (("support",), {"max_dialogs": 2}),
    "taras": (("support", "sales"), {"max_dialogs": 2}),
    "iryna": (("sales",), {"max_dialogs": 1}),
    "petro": (("support", "manual"), {"max_dialogs": 3, "channel_limits": {"mail": 1}}),
    "marko": (("manual",), {"max_dialogs": 2}),
    "sofia": (("sales", "manual"), {"max_dialogs": 2}),
    "danylo": (("support", "sales", "manual"), {"max_dialogs": 1}),
    "nina": (("support",), {"max_dialogs": 2, "daily_quota": 4}),
}
PLACES = text("SELECT id, place, kind, status FROM dialogs WHERE channel_key = ANY(:channels) ORDER BY number")
OFFERS = text(
    "SELECT t.id, t.dialog_id, t.state FROM transfers t JOIN dialogs d ON d.id = t.dialog_id"
    " WHERE d.channel_key = ANY(:channels) AND t.to_operator IS NOT NULL"
    " ORDER BY (t.state = 'pending') DESC, t.id DESC LIMIT 12"
)


class Crowd:
    def __init__(self, sessions: Sessions, *, clients: int = 12) -> None:
        self.stage = Stage(sessions)
        self.sessions = sessions
        self.clients = [f"client-{i}" for i in range(clients)]
        self.told: Counter[str] = Counter()

    async def gather(self) -> None:
        stage = self.stage
        await stage.prepare()
        await stage.team("sales", transfer_fallback="pool", distribution="topic_priority")
        await stage.team("manual", auto=False)
        await stage.add_channel("mail", "support")
        await stage.topic("payment", "support", "sales")
        await stage.topic("offers", "sales", priority=5)
        await stage.topic("paper", "manual")
        await stage.tag("vip")
        await stage.setting("default_team", stage.key("support"))
        for name, (their_teams, fields) in OPERATORS.items():
            await stage.person(name, *their_teams, online=True, **fields)
        await stage.person("boss", "-", role="supervisor")
        await stage.person("bot", "-", role="integrator")
        await stage.person("admin", "-", role="admin")
        for client, topic in zip(self.clients, ("offers", "paper", "payment") * 2, strict=False):
            await stage.write(client, topic=topic)

    async def act(self, name: str, pick: Pick) -> str:
        """Do one thing; answers how it ended."""
        try:
            told = await ACTS[name](self, pick)
        except DomainError as error:
            told = error.code
        self.told[f"{name}: {told or 'done'}"] += 1
        return told or "done"

    async def rows(self, query: Any) -> list[Any]:
        channels = [self.stage.channel, self.stage.key("mail")]
        async with self.sessions() as session:
            return list(await session.execute(query, {"channels": channels}))

    async def command(
        self, pick: Pick, command: Command, *, by: Sequence[str] = ("boss", *OPERATORS), place: str | None = None
    ) -> str | None:
        dialogs = await self.rows(PLACES)
        if place is not None:
            dialogs = [d for d in dialogs if d.place == place] or dialogs
        if not dialogs:
            return "nothing there"
        dialog = pick([d.id for d in dialogs])
        holder = await self.stage.holder(dialog)
        who = pick([holder] * 3 + [pick(by)]) if holder in self.stage.people and "bot" not in by else pick(by)
        return (await self.stage.ask(who, dialog, command)).refusal

    async def answer(self, pick: Pick, command: Command) -> str | None:
        offers = await self.rows(OFFERS)
        if not offers:
            return "nothing there"
        offer = pick([o for o in offers if o.state == "pending"] * 4 + offers)
        row = await self.stage.transfer(offer.id)
        names = {i: n for n, i in self.stage.people.items()}
        rightly = names[row.offered_by if isinstance(command, Cancel) else row.to_operator]
        who = pick([rightly, rightly, rightly, "boss"])
        return (await self.stage.ask(who, offer.dialog_id, command, transfer=offer.id)).refusal

    async def change(self, story: Any) -> None:
        await transact(self.sessions, story, actor=Actor("user", ADMIN.user_id))

    async def wake_everybody(self) -> None:
        """What timers and the relay do sooner or later: late offers expire, lapsed leases are judged, drains go."""
        late = await self.stage.sql(
            "SELECT id FROM transfers WHERE state = 'pending' AND deadline <= clock_timestamp()"
        )
        for row in late:
            await self.stage.settle(row.id)
        lapsed = await self.stage.sql(
            "SELECT operator_id FROM presence_leases WHERE lease_until <= clock_timestamp() AND lapsed_at IS NULL"
        )
        for row in lapsed:
            await self.stage.judge(row.operator_id)
        while await self.stage.carry_out_drains():
            pass


async def _write(crowd: Crowd, pick: Pick) -> str:
    more: dict[str, Any] = pick([{}, {}, {"topic": "offers"}, {"topic": "paper"}, {"weight": 3}, {"topic": "payment"}])
    receipt = await crowd.stage.write(pick(crowd.clients), channel=pick(["demo", "demo", "mail"]), **more)
    return receipt.result


async def _transfer(crowd: Crowd, pick: Pick) -> str | None:
    if pick([True, True, True, False]):
        online = await crowd.stage.sql("SELECT user_id FROM operators WHERE status = 'online' ORDER BY user_id")
        target = pick([r.user_id for r in online] or list(crowd.stage.people.values()))
        return await crowd.command(pick, Transfer(to_operator=target, note="see"), place="owned")
    return await crowd.command(pick, Transfer(to_team=crowd.stage.key(pick(TEAMS))), place="owned")


async def _connect(crowd: Crowd, pick: Pick) -> str | None:
    kinds: list[dict[str, Any]] = [
        {"topic": crowd.stage.key(pick(["offers", "paper", "payment"])), "weight": pick([None, 2])},
        {"team": crowd.stage.key(pick(TEAMS)), "place": pick(["auto", "queue"])},
        {"operator_id": crowd.stage.people[pick(list(OPERATORS))], "team": pick([None, crowd.stage.key("sales")])},
    ]
    return await crowd.command(pick, Connect(**pick(kinds)), by=["bot"])


async def _status(crowd: Crowd, pick: Pick) -> None:
    await crowd.stage.status(pick(list(OPERATORS)), pick([Presence.ONLINE] * 4 + [Presence.OFFLINE, Presence.BUSY]))


async def _come_back(crowd: Crowd, pick: Pick) -> None:
    await crowd.stage.come_back(pick(list(OPERATORS)))


async def _lapse(crowd: Crowd, pick: Pick) -> None:
    await crowd.stage.lapse(pick(list(OPERATORS)))


async def _pass_deadline(crowd: Crowd, pick: Pick) -> None:
    if offers := await crowd.rows(OFFERS):
        await crowd.stage.pass_deadline(pick(offers).id)


async def _wake(crowd: Crowd, pick: Pick) -> None:
    await crowd.wake_everybody()


async def _end_windows(crowd: Crowd, pick: Pick) -> None:
    await crowd.stage.end_windows()


def _anybody(crowd: Crowd, pick: Pick) -> str | None:
    """Whom a ticket may go to: nobody in particular, one of them, a role, a team."""
    person, team = crowd.stage.people[pick(list(OPERATORS))], crowd.stage.key(pick(TEAMS))
    return pick([None, None, str(person), "role:operator", f"team:{team}"])


async def _make_ticket(crowd: Crowd, pick: Pick) -> str | None:
    return await crowd.command(pick, Convert(assignee=_anybody(crowd, pick), priority=pick([None, "high"])))


async def _open_ticket(crowd: Crowd, pick: Pick) -> None:
    channel, topic = crowd.stage.key("mail"), pick([None, crowd.stage.key("offers"), crowd.stage.key("paper")])
    client = Client(None, channel if pick([True, False]) else crowd.stage.channel, pick(crowd.clients))
    await opens(crowd.stage, pick(list(OPERATORS)), client=client, topic=topic, assignee=_anybody(crowd, pick))


async def _ticket_status(crowd: Crowd, pick: Pick) -> str | None:
    tickets = [d.id for d in await crowd.rows(PLACES) if d.kind == "ticket"]
    if not tickets:
        return None
    command = SetStatus(pick(["in_progress", "pending", "pending", "resolved"]))
    return (await crowd.stage.ask("boss", pick(tickets), command)).refusal


async def _limit(crowd: Crowd, pick: Pick) -> None:
    who, limit = crowd.stage.people[pick(list(OPERATORS))], pick([0, 1, 2, 3, 4])
    await crowd.change(lambda work: users.change(work, ADMIN, who, {"limit": limit}))


async def _activity(crowd: Crowd, pick: Pick) -> None:
    who, active = crowd.stage.people[pick(["olha", "danylo"])], pick([False, True, True])
    await crowd.change(lambda work: users.change(work, ADMIN, who, {"active": active}))


async def _members(crowd: Crowd, pick: Pick) -> None:
    key, leaving = crowd.stage.key(pick(TEAMS)), crowd.stage.people[pick(list(OPERATORS))]
    async with crowd.sessions() as session:
        members = {UUID(m) for m in (await teams.get_team(session, key))["members"]}
    await crowd.change(lambda work: teams.change(work, key, {"members": sorted(members ^ {leaving})}))


async def _auto(crowd: Crowd, pick: Pick) -> None:
    key, auto = crowd.stage.key(pick(["sales", "manual"])), pick([True, False])
    await crowd.change(lambda work: teams.change(work, key, {"auto": auto}))


def _plainly(
    *make: Callable[[Crowd], Command], place: str | None = None
) -> Callable[[Crowd, Pick], Awaitable[str | None]]:
    async def act(crowd: Crowd, pick: Pick) -> str | None:
        return await crowd.command(pick, pick([m(crowd) for m in make]), place=place)

    return act


def _to_offer(command: Command) -> Callable[[Crowd, Pick], Awaitable[str | None]]:
    return lambda crowd, pick: crowd.answer(pick, command)


async def _take(crowd: Crowd, pick: Pick) -> str | None:
    """By anybody but the holder, of what mostly waits."""
    waiting = [d.id for d in await crowd.rows(PLACES) if d.place in ("queued", "unassigned")]
    everything = [d.id for d in await crowd.rows(PLACES)]
    if not everything:
        return "nothing there"
    who, command = pick(["boss", *OPERATORS]), pick([Take(), Take(), Take(over_limit=True)])
    return (await crowd.stage.ask(who, pick(waiting or everything), command)).refusal


async def _assign(crowd: Crowd, pick: Pick) -> str | None:
    return await crowd.command(pick, Assign(crowd.stage.people[pick(list(OPERATORS))]), by=["boss"])


ACTS: dict[str, Callable[[Crowd, Pick], Awaitable[str | None]]] = {
    "write": _write,
    "write again": _write,
    "take": _take,
    "assign": _assign,
    "unassign": _plainly(lambda c: Unassign(), place="owned"),
    "close": _plainly(lambda c: Close(), place="owned"),
    "reopen": _plainly(lambda c: Reopen()),
    "transfer": _transfer,
    "transfer again": _transfer,
    "transfer once more": _transfer,
    "accept": _to_offer(Accept()),
    "decline": _to_offer(Decline()),
    "cancel": _to_offer(Cancel()),
    "connect": _connect,
    "topic": _plainly(
        lambda c: SetTopic(c.stage.key("offers")), lambda c: SetTopic(c.stage.key("paper")), lambda c: SetTopic(None)
    ),
    "light": _plainly(
        lambda c: Say("hello"),
        lambda c: Say("aside", mode="note"),
        lambda c: AddTag(c.stage.key("vip")),
        lambda c: RemoveTag(c.stage.key("vip")),
        lambda c: SetPriority("low"),
        lambda c: SetPriority("high"),
        lambda c: AddParticipant(c.stage.people["olha"]),
    ),
    "ticket": _make_ticket,
    "open ticket": _open_ticket,
    "ticket status": _ticket_status,
    "status": _status,
    "status again": _status,
    "come back": _come_back,
    "lapse": _lapse,
    "deadline passes": _pass_deadline,
    "windows end": _end_windows,
    "wake everybody": _wake,
    "limit": _limit,
    "activity": _activity,
    "members": _members,
    "auto": _auto,
}
