"""What runs send: whom one may write to and where, once a step, and what the step is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.commands import Close, Say
from domain.walks.ports import StepError
from store.ids import new_id
from store.tables import Channel, ContactIdentity, MessageTemplate, QuickReply
from tests.store.runs_at_hand import RunAtHand
from tests.store.stage import Stage


@pytest.fixture
async def run(stage: Stage) -> RunAtHand:
    return RunAtHand(stage.sessions)


async def refused(run: RunAtHand, action: str, dialog: UUID | None, **params: Any) -> StepError:
    with pytest.raises(StepError) as error:
        await run.prepare(run.deed(action, dialog, **params))
    return error.value


async def unsent(run: RunAtHand, action: str, dialog: UUID, **params: Any) -> str:
    prepared = await run.prepare(run.deed(action, dialog, **params))
    assert prepared.message_id is None
    assert prepared.result is not None
    assert prepared.result["sent"] is False
    return str(prepared.result["reason"])


async def messages(stage: Stage, dialog: UUID) -> list[Any]:
    return await stage.sql("SELECT * FROM messages WHERE dialog_id = :d AND direction = 'out' ORDER BY seq", d=dialog)


async def contact_of(stage: Stage, dialog: UUID) -> UUID:
    return (await stage.dialog(dialog)).contact_id


async def other_channel(stage: Stage, dialog: UUID, kind: str = "viber", name: str = "viber", **more: Any) -> str:
    """Another channel, in which the dialog's client is known."""
    key = stage.key(name)
    async with stage.sessions.begin() as session:
        session.add(Channel(key=key, kind=kind, name=name, team_key=stage.key("support"), **more))
        await session.flush()
        session.add(
            ContactIdentity(
                id=new_id(), contact_id=await contact_of(stage, dialog), channel_key=key, address=f"+{name}"
            )
        )
    return key


async def test_a_message_is_sent_once_a_step_and_told_to_the_step(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    deed = run.deed("send_message", dialog, text="Вітаємо!")
    prepared = await run.prepare(deed)
    assert prepared.message_id is not None
    assert await run.prepare(deed) == prepared
    acted, why = await run.deliver(deed, prepared.message_id)
    assert (acted.trouble, why) == (None, [])
    assert acted.done is not None
    assert acted.done.result == {"sent": True, "message_id": str(prepared.message_id), "channel": stage.channel}
    again = await run.prepare(deed)
    assert (again.message_id, again.result) == (None, acted.done.result)
    [row] = await messages(stage, dialog)
    assert (row.author_kind, row.run_id, row.delivery, row.text) == ("process", run.id, "sent", "Вітаємо!")
    events = await stage.sql(
        "SELECT kind, run_id FROM events WHERE dialog_id = :d AND kind LIKE 'message.s%'", d=dialog
    )
    assert [(e.kind, e.run_id) for e in events] == [("message.sent", run.id)]
    assert not await stage.sql(
        "SELECT 1 FROM reactions WHERE kind = 'message_queued' AND workflow_id = :w", w=f"dialog:{dialog}"
    )


async def test_the_same_key_with_another_text_is_the_definitions_fault(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    await run.prepare(run.deed("send_message", dialog, key="k", text="one"))
    assert (await refused(run, "send_message", dialog, key="k", text="two")).type == "internal"
    assert len(await messages(stage, dialog)) == 1


async def test_a_banned_client_is_not_written_to(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("rude")
    await stage.ban(dialog)
    await run.begin(dialog)
    for action, params in (("send_message", {"text": "hi"}), ("request_csat", {})):
        assert (await refused(run, action, dialog, **params)).type == "blocked_by_contact"
    assert await messages(stage, dialog) == []


async def test_marketing_needs_consent_and_service_does_not(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    assert await unsent(run, "send_message", dialog, text="Sale", purpose="marketing") == "no_consent"
    await stage.sql("UPDATE contacts SET consent = true WHERE id = :c", c=await contact_of(stage, dialog))
    assert (await run.send("send_message", dialog, text="Sale", purpose="marketing")).done


async def test_a_closed_window_is_skipped_refused_or_answered_with_a_template(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena", name="Olena Petrenko")
    await run.begin(dialog)
    await stage.sql("UPDATE channels SET kind = 'whatsapp' WHERE key = :c", c=stage.channel)
    assert (await run.send("send_message", dialog, text="in time")).done
    await stage.sql("UPDATE dialogs SET last_client_message_at = now() - interval '25 h' WHERE id = :d", d=dialog)
    assert await unsent(run, "send_message", dialog, text="late", if_window_closed="skip") == "window_closed"
    assert (await refused(run, "send_message", dialog, text="late")).type == "window_closed"
    async with stage.sessions.begin() as session:
        session.add(MessageTemplate(key="hi", name="Hi", text="{contact.first_name}, {when|soon}!", kinds=["whatsapp"]))
        session.add(MessageTemplate(key="tg", name="Tg", text="…", kinds=["telegram"]))
    late = {"text": "late", "if_window_closed": "template"}
    assert (await refused(run, "send_message", dialog, **late)).type == "window_closed"
    assert (await refused(run, "send_message", dialog, **late, template="tg")).type == "window_closed"
    assert (await refused(run, "send_message", dialog, **late, template="none")).type == "not_found"
    assert (await run.send("send_message", dialog, **late, template="hi")).done
    assert (await run.send("send_message", dialog, **late, template="hi", template_params={"when": "о 5"})).done
    assert [m.text for m in await messages(stage, dialog)] == ["in time", "Olena, soon!", "Olena, о 5!"]
    await stage.sql("UPDATE channels SET reply_window = 172800 WHERE key = :c", c=stage.channel)
    assert (await run.send("send_message", dialog, text="the channel's own window")).done


async def test_a_quick_reply_is_filled_in_one_pass_and_says_its_version(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena", name="{hours} {contact.phone}")
    await run.begin(dialog)
    async with stage.sessions.begin() as session:
        session.add(QuickReply(key="warn", name="W", text="{contact.name}: {hours} h, {params.hours}", version=3))
        session.add(QuickReply(key="odd", name="O", text="{contact.secret}"))
        session.add(QuickReply(key="old", name="O", text="x", active=False))
    acted = await run.send("send_quick_reply", dialog, quick_reply="warn", params={"hours": 24})
    assert acted.done is not None
    assert acted.done.result["version"] == 3
    assert [m.text for m in await messages(stage, dialog)] == ["{hours} {contact.phone}: 24 h, 24"]
    assert (await refused(run, "send_quick_reply", dialog, quick_reply="warn")).type == "invalid"
    assert (await refused(run, "send_quick_reply", dialog, quick_reply="odd")).type == "invalid"
    for key in ("old", "none"):
        assert (await refused(run, "send_quick_reply", dialog, quick_reply=key)).type == "not_found"


async def test_a_text_is_chosen_by_the_clients_language(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    texts = {"uk": "Так", "en": "Yes", "pl": "Tak"}
    await run.send("send_message", dialog, text=texts)
    await stage.sql(
        'UPDATE contacts SET fields = \'{"language": "pl"}\' WHERE id = :c', c=await contact_of(stage, dialog)
    )
    await run.send("send_message", dialog, text=texts)
    await run.send("send_message", dialog, text={"de": "Ja"})
    assert [m.text for m in await messages(stage, dialog)] == ["Так", "Tak", "Ja"]


async def test_another_channel_gets_the_open_dialog_there_or_a_new_one(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    viber = await other_channel(stage, dialog)
    acted = await run.send("send_message", dialog, text="there", channel="viber")
    assert acted.done is not None
    assert acted.done.result["channel"] == viber
    [made] = await stage.sql("SELECT * FROM dialogs WHERE channel_key = :c", c=viber)
    assert (made.place, made.bot_run, made.status) == ("bot", run.id, "new")
    await run.send("send_message", dialog, text="again", channel=viber)
    assert [m.text for m in await messages(stage, made.id)] == ["there", "again"]
    assert (await refused(run, "send_message", dialog, text="x", channel="telegram")).type == "not_found"


async def test_a_kind_means_the_last_used_channel_of_that_kind(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    await other_channel(stage, dialog, name="old")
    used = await other_channel(stage, dialog, name="used")
    await other_channel(stage, dialog, name="never")
    await run.send("send_message", dialog, text="x", channel=used)
    acted = await run.send("send_message", dialog, text="y", channel="viber")
    assert acted.done is not None
    assert acted.done.result["channel"] == used


async def test_the_first_channel_that_is_open_is_taken(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    await other_channel(stage, dialog, "whatsapp", "wa")
    viber = await other_channel(stage, dialog)
    more = {"text": "x", "channel": "whatsapp"}
    assert (await refused(run, "send_message", dialog, **more)).type == "window_closed"
    acted = await run.send("send_message", dialog, **more, fallback_channels=["telegram", "viber"])
    assert acted.done is not None
    assert acted.done.result["channel"] == viber


async def test_the_kill_switch_of_a_channel_and_of_all_stops_what_runs_send(stage: Stage, run: RunAtHand) -> None:
    await stage.person("olha", online=True)
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    deed = run.deed("send_message", dialog, text="prepared before")
    prepared = await run.prepare(deed)
    assert prepared.message_id is not None
    await stage.sql("UPDATE channels SET sending_stopped_at = now() WHERE key = :c", c=stage.channel)
    error = await refused(run, "send_message", dialog, text="x")
    assert (error.type, error.details["kill_switch"]) == ("channel_error", True)
    acted = await run.deliver_once(deed, prepared.message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.details, acted.trouble.again) == (
        "channel_error", {"kill_switch": True}, False,
    )  # fmt: skip
    await stage.do("olha", dialog, Say("people may"))
    await stage.sql("UPDATE messages SET delivery = 'sent' WHERE text = 'people may' AND dialog_id = :d", d=dialog)
    await stage.sql("UPDATE channels SET sending_stopped_at = NULL WHERE key = :c", c=stage.channel)
    await stage.setting("sending_stopped", True)
    assert (await refused(run, "send_message", dialog, text="x")).details["kill_switch"] is True
    await stage.setting("sending_stopped", False)
    assert (await run.send("send_message", dialog, text="x", key="after")).done
    again = await run.prepare(deed)
    assert again.message_id not in (None, prepared.message_id)


async def test_a_launcher_says_only_where_he_or_she_might_by_hand(stage: Stage, run: RunAtHand) -> None:
    await stage.person("olha", online=True)
    dialog = await stage.opened("olena")
    assert await stage.holder(dialog) == "olha"
    taras = await stage.person("taras")
    await run.begin(dialog, launched_by=taras)
    await stage.sql("UPDATE runs SET run_as = 'launcher' WHERE id = :r", r=run.id)
    for action, params in (("send_message", {"text": "x"}), ("request_csat", {})):
        error = await refused(run, action, dialog, **params)
        assert (error.type, error.details["code"]) == ("forbidden", "not_yours")
    assert await messages(stage, dialog) == []
    await stage.sql("UPDATE runs SET launched_by = :o WHERE id = :r", o=stage.id_of("olha"), r=run.id)
    assert (await run.prepare(run.deed("send_message", dialog, text="x"))).message_id is not None


async def test_a_started_dialog_belongs_to_the_run_until_it_is_assigned(stage: Stage, run: RunAtHand) -> None:
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    viber = await other_channel(stage, dialog)
    error = await refused(run, "start_dialog", dialog, channel=stage.channel, text="x")
    assert (error.type, error.details["dialog_id"]) == ("conflict", str(dialog))
    acted = await run.send("start_dialog", dialog, channel="viber", text="Hello", purpose="service")
    assert acted.done is not None
    [made] = await stage.sql("SELECT * FROM dialogs WHERE channel_key = :c", c=viber)
    assert acted.done.result["dialog_id"] == str(made.id)
    assert (made.place, made.bot_run) == ("bot", run.id)
    assert acted.done.snapshot is not None
    assert acted.done.snapshot.dialog is not None
    assert acted.done.snapshot.dialog["id"] == str(made.id)
    other = await other_channel(stage, dialog, "telegram", "tg")
    await run.send("start_dialog", dialog, channel=other, text="Hello", assign_to=str(olha))
    [owned] = await stage.sql("SELECT * FROM dialogs WHERE channel_key = :c", c=other)
    assert (owned.place, owned.operator_id) == ("owned", olha)
    assert (await refused(run, "start_dialog", dialog, channel="sms", text="x")).type == "not_found"
    assert await unsent(run, "start_dialog", dialog, channel="viber", text="x", purpose="marketing") == "no_consent"


async def test_a_dialog_is_started_at_an_address_that_was_not_known(stage: Stage, run: RunAtHand) -> None:
    dialog, other = await stage.opened("olena"), await stage.opened("ivan")
    await run.begin(dialog)
    key = await stage.add_channel("letters", "support")
    await stage.sql("UPDATE channels SET kind = 'email' WHERE key = :c", c=key)
    theirs = await contact_of(stage, other)
    start = {"channel": "email", "address": "ivan@test", "text": "Hello"}
    acted = await run.send("start_dialog", dialog, contact=str(theirs), **start)
    assert acted.done is not None
    made = await stage.dialog(UUID(acted.done.result["dialog_id"]))
    assert (made.contact_id, made.channel_key) == (theirs, key)
    assert (await refused(run, "start_dialog", dialog, **start)).type == "conflict"
    nowhere = {**start, "channel": "telephony"}
    assert (await refused(run, "start_dialog", dialog, **nowhere)).type == "not_found"
    assert (await refused(run, "start_dialog", dialog, contact=str(new_id()), **start)).type == "not_found"


async def test_what_a_refused_step_began_is_gone(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    viber = await other_channel(stage, dialog)
    files = [str(new_id())]
    assert (await refused(run, "send_message", dialog, text="x", channel=viber, attachments=files)).type == "invalid"
    assert await stage.sql("SELECT 1 FROM dialogs WHERE channel_key = :c", c=viber) == []
    assert await stage.sql("SELECT 1 FROM effects WHERE run_id = :r", r=run.id) == []


async def test_a_score_is_asked_for_once_a_closing(stage: Stage, run: RunAtHand) -> None:
    await stage.person("olha", online=True)
    dialog = await stage.opened("olena")
    await stage.do("olha", dialog, Close())
    await run.begin(dialog)
    acted = await run.send("request_csat", dialog, scale="1-5", question="Як ми?")
    assert acted.done is not None
    [asked] = await stage.sql("SELECT * FROM rating_requests WHERE dialog_id = :d", d=dialog)
    assert acted.done.result["request_id"] == str(asked.id)
    assert (asked.state, str(asked.message_id)) == ("pending", acted.done.result["message_id"])
    assert [m.text for m in await messages(stage, dialog)] == ["Як ми? (1–5)"]
    assert await unsent(run, "request_csat", dialog) == "asked_already"
    assert (await stage.dialog(dialog)).status == "closed"


async def test_a_run_without_the_right_sends_nothing(stage: Stage, run: RunAtHand) -> None:
    dialog = await stage.opened("olena")
    await run.begin(dialog)
    await stage.sql("UPDATE runs SET granted = '{dialog.read}' WHERE id = :r", r=run.id)
    assert (await refused(run, "send_message", dialog, text="x")).type == "forbidden"
