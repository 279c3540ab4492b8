"""Criteria compiled to SQL give the same dialogs as the pure rule, on random dialogs and random criteria."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from domain.calendars.calendars import ALWAYS
from domain.clocks.clocks import Clock as Kept
from domain.clocks.clocks import Interval
from domain.clocks.deadlines import earliest, is_overdue
from domain.clocks.metrics import Metric
from domain.criteria import PLACES, STATUSES, Criteria, DialogView, matches
from domain.dialogs import CHAT_STATUSES, TICKET_STATUSES
from store.criteria import compile_criteria
from store.deadlines import due_at, is_late
from store.ids import new_id
from store.tables import Channel, Clock, Contact, ContactIdentity, Dialog, Message, Team, Topic, User

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["parcel", "late", "привіт", "оплата", "refund", "hello", "0501", "number"]
TOPICS, TAGS, CHANNELS, TEAMS = ["t1", "t2", "t3"], ["g1", "g2", "g3"], ["c1", "c2"], ["m1", "m2", "m3"]


@pytest.fixture(scope="module")
async def dialogs(sessions) -> list[DialogView]:
    """A few hundred dialogs of every shape the tables allow."""
    rng = random.Random(7)
    people = [new_id() for _ in range(4)]
    contacts = [
        {"id": new_id(), "name": rng.choice(["Ольга Коваль", "Taras", None]), "email": rng.choice(["o_a%b@x.ua", None]),
         "phone": rng.choice([None, f"+38 (050) 1{i}-45"])}
        for i in range(20)
    ]  # fmt: skip
    views, rows, said, kept = [], [], [], {}
    for number in range(1, 401):
        made = _random_dialog(rng, number, people, rng.choice(contacts))
        view, row, texts = made
        kept[row["id"]] = clocks = _random_clocks(rng) if row["status"] != "closed" else []
        view = replace(view, is_overdue=is_overdue(clocks, datetime.now(UTC)))
        views.append(view)
        rows.append(row)
        said += [
            {"id": new_id(), "dialog_id": row["id"], "seq": seq, "direction": "in", "author_kind": "client", "text": t,
             "channel_key": row["channel_key"], "created_at": row["opened_at"]}
            for seq, t in enumerate(texts, 1)
        ]  # fmt: skip
    async with sessions.begin() as session:
        await session.execute(insert(Team), [{"key": k, "name": k} for k in TEAMS])
        await session.execute(insert(Channel), [{"key": k, "kind": "generic", "name": k} for k in CHANNELS])
        await session.execute(insert(Topic), [{"key": k, "name": k} for k in TOPICS])
        await session.execute(
            insert(User), [{"id": i, "email": f"{i}@x", "name": "x", "password_hash": "-"} for i in people]
        )
        await session.execute(insert(Contact), contacts)
        identity = [
            {"id": c["id"], "contact_id": c["id"], "channel_key": "c1", "address": str(c["id"])} for c in contacts
        ]
        await session.execute(insert(ContactIdentity), identity)
        await session.execute(insert(Dialog), rows)
        await session.execute(insert(Message), said)
        await session.execute(
            insert(Clock),
            [
                {"id": c.id, "dialog_id": dialog, "metric": c.metric, "alias": "", "status": c.status, "cycle": 1,
                 "started_at": c.started_at, "state": c.state, "target": c.target, "due_at": c.due_at,
                 "breached_at": c.breached_at, "ended_at": c.ended_at, "result": c.result}
                for dialog, clocks in kept.items() for c in clocks
            ],
        )  # fmt: skip
        KEPT.update(kept)
        numbers = {r.id: r.number for r in await session.execute(select(Dialog.id, Dialog.number))}
    return [
        DialogView(**{**{f: getattr(v, f) for f in v.__dataclass_fields__}, "number": numbers[r["id"]]})
        for v, r in zip(views, rows, strict=True)
    ]


#: dialog → its clocks
KEPT: dict[UUID, list[Kept]] = {}


def _random_clocks(rng: random.Random) -> list[Kept]:
    """Of every state; deadlines are hours away, so that no test crosses one."""
    now = datetime.now(UTC)
    made = []
    for metric in rng.sample(sorted(Metric), rng.choice([0, 0, 1, 2, 4])):
        state = rng.choice(["running", "running", "paused", "ended"])
        due = rng.choice([None, *(now + timedelta(hours=h) for h in (-30, -2, 3, 40))])
        breached = now - timedelta(hours=rng.randrange(1, 40)) if rng.random() < 0.3 else None
        made.append(
            Kept(
                new_id(), metric, 1, BEGAN, 60, ALWAYS, (Interval(1, "running", BEGAN, "dialog.opened"),), state=state,
                due_at=due, breached_at=breached, ended_at=now if state == "ended" else None,
                result=rng.choice(["met", "breached", "dropped"]) if state == "ended" else None,
            )
        )  # fmt: skip
    return made


def _random_dialog(rng, number, people, contact):
    kind = rng.choice(["chat", "chat", "ticket", "comment", "group"])
    status = str(rng.choice(TICKET_STATUSES if kind == "ticket" else CHAT_STATUSES))
    place = None if status == "closed" else rng.choice(sorted(PLACES))
    operator = rng.choice(people) if place == "owned" else None
    row = {
        "id": new_id(), "kind": kind, "status": status, "place": place, "channel_key": rng.choice(CHANNELS),
        "ticket_number": 12_000 + number if kind == "ticket" else None,
        "identity_id": contact["id"], "contact_id": contact["id"], "thread": str(number),
        "topic_key": rng.choice([None, *TOPICS]), "team_key": rng.choice(TEAMS), "operator_id": operator,
        "last_operator_id": operator or rng.choice([None, *people]),
        "tags": rng.sample(TAGS, rng.randrange(0, 3)), "rating": rng.choice([None, 1, 5]),
        "opened_at": BEGAN + timedelta(hours=rng.randrange(0, 1000)),
        "awaiting_reply_since": rng.choice([None, BEGAN]),
    }  # fmt: skip
    texts = tuple(" ".join(rng.sample(WORDS, rng.randrange(1, 4))) for _ in range(rng.randrange(0, 3)))
    view = DialogView(
        number=number, ticket_number=row["ticket_number"], status=status, place=place, kind=kind,
        channel=row["channel_key"], team=row["team_key"],
        contact_id=contact["id"], opened_at=row["opened_at"], topic=row["topic_key"], tags=frozenset(row["tags"]),
        operator_id=operator, last_operator_id=row["last_operator_id"], rating=row["rating"],
        awaiting_reply_since=row["awaiting_reply_since"], contact_name=contact["name"],
        contact_phone=contact["phone"], contact_email=contact["email"], texts=texts,
    )  # fmt: skip
    return view, row, texts


def _random_criteria(rng: random.Random, dialogs: list[DialogView]) -> Criteria:
    def some(values, most=3, often=0.25):
        return frozenset(rng.sample(list(values), rng.randrange(1, most + 1))) if rng.random() < often else frozenset()

    people = {d.operator_id for d in dialogs} | {None}
    opened_from = BEGAN + timedelta(hours=rng.randrange(0, 900)) if rng.random() < 0.2 else None
    to = BEGAN + timedelta(hours=rng.randrange(100, 1000)) if rng.random() < 0.2 else None
    words = [
        "parcel",
        "late hello",
        "ОПЛАТА",
        "оль",
        "taras",
        "17",
        "#3",
        "12-017",
        "#12-003",
        "12030",
        "o_a%b",
        "050",
        "nothing",
        "!!",
        "(050) 1",
        "%%%",
    ]
    return Criteria(
        status=some(sorted(STATUSES | PLACES), 6, 0.5), kind=some(["chat", "ticket", "comment", "group"]),
        topic=some([None, *TOPICS]), tag=some([None, *TAGS]), operator=some(sorted(people, key=str), 2),
        channel=some(CHANNELS, 2), team=some(TEAMS), contact=some(sorted({d.contact_id for d in dialogs}), 3, 0.1),
        rating=some([None, 1, 5]), opened_from=opened_from, opened_to=to,
        awaiting_reply=rng.choice([None, None, True, False]), overdue=rng.choice([None, None, True, False]),
        words=rng.choice(words) if rng.random() < 0.4 else None,
    )  # fmt: skip


@pytest.mark.parametrize("with_texts", [True, False])
async def test_sql_and_the_pure_rule_agree(sessions, dialogs, with_texts):
    rng = random.Random(11)
    seen = dialogs if with_texts else [_mute(d) for d in dialogs]
    found_any = 0
    async with sessions() as session:
        for _ in range(300):
            criteria = _random_criteria(rng, dialogs)
            query = select(Dialog.number).where(compile_criteria(criteria, with_texts=with_texts))
            found = set(await session.scalars(query))
            assert found == {d.number for d in seen if matches(d, criteria)}, criteria
            found_any += bool(found)
    assert found_any > 100


async def test_the_deadline_that_presses_most_is_that_of_the_rule(sessions, dialogs):
    now = datetime.now(UTC)
    async with sessions() as session:
        rows = (await session.execute(select(Dialog.id, due_at.label("due"), is_late.label("late")))).all()
    assert len(rows) == len(KEPT)
    assert [r.due for r in rows] == [earliest(KEPT[r.id]) for r in rows]
    assert [r.late for r in rows] == [is_overdue(KEPT[r.id], now) for r in rows]
    assert {True, False} == {r.late for r in rows}


def _mute(d: DialogView) -> DialogView:
    return DialogView(**{**{f: getattr(d, f) for f in d.__dataclass_fields__}, "texts": ()})


async def test_the_sought_particulars_are_those_of_the_rule(sessions, dialogs):
    from domain.criteria import sought_of

    async with sessions() as session:
        rows = await session.execute(text("SELECT name, phone, email, sought FROM contacts"))
        for r in rows:
            assert r.sought == sought_of(r.name, r.phone, r.email)
