"""What runs send to clients, prepared: may one write, where, what; the message's row and its effect at once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actions.catalogue import catalogue
from domain.actions.messages import RequestCsat, SendMessage, SendQuickReply, StartDialog
from domain.actions.places import Assign
from domain.durations import parse_duration
from domain.errors import DomainError
from domain.messages import Delivery
from domain.ready_texts import filled, in_language
from domain.walks.ports import Deed, StepError
from store import contacts, effects, messages, outreach, rating_requests
from store.deeds.doing import DEEDS, read_params
from store.deeds.stages import Stage, step_error
from store.dialogs import Scene
from store.outreach import Way
from store.tables import Channel, Contact, Message, MessageTemplate, QuickReply
from store.transactions import team_keys_of

_GONE = frozenset({Delivery.SENT, Delivery.DELIVERED, Delivery.READ})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message to be delivered, or the step's result where there is nothing to send (any more)."""

    message_id: UUID | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What to say and where. `told`: goes into the step's result. `delay` before it is sent. `asks`: for a score."""

    scene: Scene
    text: str
    attachments: tuple[UUID, ...] = ()
    told: dict[str, Any] = field(default_factory=dict)
    delay: timedelta = timedelta(0)
    asks: RequestCsat | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """There is a reason not to write, and it is no failure."""

    result: dict[str, Any]


class _ClosedError(StepError):
    """The reply window is closed, and the step does not insist."""


async def prepare(stage: Stage, deed: Deed, *, seq: int) -> Prepared:
    """Write the message's row and its effect's, once a key: asked again, the same message is answered.

    Raises StepError: blocked_by_contact, window_closed, channel_error (also while sending is stopped), not_found,
    unknown_effect when nobody knows whether it was sent before.
    """
    manifest = catalogue()[deed.action]
    params = read_params(manifest, deed.params)
    stage.require_capability(manifest.capability)
    if deed.action != "start_dialog":
        outreach.require_may_say(stage)
    work, request = stage.work, effects.request_hash_of(deed.action, deed.params)
    async with work.savepoint():
        claimed = await effects.claim(work, deed.key, stage.run.id, seq, deed.step, deed.action, request)
        if not claimed.is_new and (before := await _before(stage, claimed)) is not None:
            return before
        try:
            letter = await COMPOSERS[deed.action](stage, params)
            if isinstance(letter, Unsent):
                await effects.let_go(work, deed.key)
                return Prepared(result=letter.result)
            return await _write(stage, deed.key, letter)
        except DomainError as error:
            raise step_error(error) from error


async def _write(stage: Stage, key: str, letter: Letter) -> Prepared:
    work = stage.work
    message = await messages.add_reply(work, letter.scene, letter.text, letter.attachments, author_kind="process")
    if letter.delay:
        message.not_before = work.now + letter.delay
    await work.session.flush()
    told = dict(letter.told)
    if letter.asks is not None:
        asked = await rating_requests.ask(
            work, letter.scene, scale=letter.asks.scale, question=letter.asks.question, message_id=message.id,
            delay=letter.delay,
        )  # fmt: skip
        told["request_id"] = str(asked)
    result = {"sent": True, "message_id": str(message.id), "channel": message.channel_key, **told}
    await effects.settle(work, key, "started", result=result, provider_ref=str(message.id))
    return Prepared(message.id)


async def _before(stage: Stage, claimed: effects.Claimed) -> Prepared | None:
    """What an earlier attempt under this key came to; None when it surely sent nothing."""
    if claimed.status == "done":
        return Prepared(result=claimed.result or {})
    delivery = None
    if claimed.provider_ref is not None:
        asked = select(Message.delivery).where(Message.id == UUID(claimed.provider_ref))
        delivery = await stage.work.session.scalar(asked)
    if delivery in (Delivery.QUEUED, Delivery.SENDING):
        return Prepared(UUID(claimed.provider_ref))
    if delivery in _GONE:
        await effects.settle(stage.work, claimed.key, "done")
        return Prepared(result=claimed.result or {})
    if delivery == Delivery.UNKNOWN or claimed.status == "unknown":
        raise StepError(
            "unknown_effect", "Nobody knows whether the message was sent; it is not sent again.", needs_attention=True
        )
    return None


# ---- what is said where ------------------------------------------------------------------------------------------


async def _send_message(stage: Stage, p: SendMessage) -> Letter | Unsent:
    contact = await _contact(stage)
    text = in_language(p.text, _language(contact))
    return await _written(stage, p, contact, text, {})


async def _send_quick_reply(stage: Stage, p: SendQuickReply) -> Letter | Unsent:
    reply = await stage.work.session.get(QuickReply, p.quick_reply)
    if reply is None or not reply.active:
        raise StepError("not_found", f"There is no quick reply {p.quick_reply!r}.")
    text = filled(reply.text, await stage.see(), p.params)
    return await _written(stage, p, await _contact(stage), text, {"version": reply.version})


async def _written(
    stage: Stage, p: SendMessage | SendQuickReply, contact: Contact, text: str, told: dict[str, Any]
) -> Letter | Unsent:
    """In the first of the channels named in which one may write now; what keeps from the first one is told."""
    if (reason := _why_not(contact, p.purpose)) is not None:
        return Unsent({"sent": False, "message_id": None, "channel": p.channel, "reason": reason, **told})
    trouble: StepError | None = None
    for channel in (p.channel, *p.fallback_channels):
        try:
            way = await _way(stage, contact.id, channel)
            said = text if way.is_window_open else await _said_in_closed(stage, p, way)
            scene = await _scene_on(stage, way, contact.id)
            return Letter(scene, said, tuple(UUID(i) for i in p.attachments), told)
        except StepError as error:
            trouble = trouble or error
    if isinstance(trouble, _ClosedError):
        shown = {"message_id": None, "channel": trouble.details["channel"]}
        return Unsent({"sent": False, "reason": "window_closed", **shown, **told})
    raise trouble or StepError("invalid", "There is no channel to write in.")


async def _start_dialog(stage: Stage, p: StartDialog) -> Letter | Unsent:
    """A dialog of the run's own with the item's contact or another; `assign_to` gets it at once."""
    if p.contact is not None:
        await contacts.require_seen(stage.work.session, stage.viewer, UUID(p.contact))
    contact = await _contact(stage, UUID(p.contact) if p.contact else None)
    if (reason := _why_not(contact, p.purpose)) is not None:
        return Unsent({"dialog_id": None, "sent": False, "reason": reason})
    if p.address is not None:
        await outreach.keep_address(stage, contact.id, p.channel, p.address)
    way = await outreach.way_to(stage, contact.id, p.channel)
    if (other := await outreach.open_dialog_on(stage, way)) is not None:
        raise StepError(
            "conflict",
            "The client has an open dialog there.",
            details={"code": "another_dialog_open", "dialog_id": str(other)},
        )
    try:
        said = await _first_words(stage, p, way, contact)
    except _ClosedError:
        return Unsent({"dialog_id": None, "sent": False, "reason": "window_closed"})
    scene = await _dialog_for(stage, way, contact.id, p.assign_to)
    return Letter(scene, said, told={"dialog_id": str(scene.dialog.id)})


async def _dialog_for(stage: Stage, way: Way, contact_id: UUID, assign_to: str | None) -> Scene:
    """A dialog of the run's own; of a team that is named, or in the hands of an operator who is."""
    kind, colon, name = (assign_to or "").partition(":")
    if kind == "role" and colon:
        raise StepError("invalid", "A dialog is assigned to an operator or to a team, not to a role.")
    team = name if kind == "team" and colon else None
    operator = UUID(assign_to) if assign_to and not colon else None
    if operator is not None:
        own = team or await outreach.team_for(stage, way)
        stage.require_teams({own, *await team_keys_of(stage.work.session, (operator,))})
    stage.scene = await outreach.begin_dialog(stage, way, contact_id, team=team)
    stage.contact_id = contact_id
    if operator is not None:
        await DEEDS["assign"](stage, Assign(operator=str(operator)))
    return stage.require_scene()


async def _first_words(stage: Stage, p: StartDialog, way: Way, contact: Contact) -> str:
    """The text where one may write freely, else the template, else what `if_window_closed` says."""
    if p.text is not None and way.is_window_open:
        return in_language(p.text, _language(contact))
    if p.template is not None:
        return await _from_template(stage, p, way)
    return await _said_in_closed(stage, p, way)


async def _request_csat(stage: Stage, p: RequestCsat) -> Letter | Unsent:
    """Once a closing; a score in the client's next message, or behind a link, is the answer (DECISIONS 30)."""
    scene = stage.require_scene()
    _why_not(await _contact(stage), "service")
    way = await outreach.way_in(stage, scene.dialog)
    if not way.is_window_open:
        raise StepError("window_closed", f"The reply window of {way.channel} is closed.")
    if await rating_requests.was_asked(stage.work.session, scene.dialog):
        return Unsent({"request_id": None, "sent": False, "reason": "asked_already"})
    low, _, high = p.scale.partition("-")
    delay = parse_duration(p.delay) if p.delay else timedelta(0)
    return Letter(scene, f"{p.question} ({low}–{high})", delay=delay, asks=p)


Composer = Callable[[Stage, Any], Awaitable[Letter | Unsent]]
COMPOSERS: Mapping[str, Composer] = {
    "send_message": _send_message, "send_quick_reply": _send_quick_reply, "start_dialog": _start_dialog,
    "request_csat": _request_csat,
}  # fmt: skip


async def _contact(stage: Stage, contact_id: UUID | None = None) -> Contact:
    wanted = contact_id or stage.require_contact()
    contact = await stage.work.session.get(Contact, wanted, populate_existing=True)
    if contact is None:
        raise StepError("not_found", "There is no such client.")
    return contact


def _why_not(contact: Contact, purpose: str) -> str | None:
    """A reason that is no failure. Raises StepError for a banned client."""
    if contact.banned_at is not None:
        raise StepError("blocked_by_contact", "The client is banned.")
    return "no_consent" if purpose == "marketing" and not contact.consent else None


def _language(contact: Contact) -> str | None:
    language = contact.fields.get("language")
    return language if isinstance(language, str) else None


async def _way(stage: Stage, contact_id: UUID, channel: str | None) -> Way:
    scene = stage.scene
    if scene is not None and scene.dialog.contact_id == contact_id:
        if channel is None or channel == scene.dialog.channel_key:
            return await outreach.way_in(stage, scene.dialog)
        if channel == await stage.work.session.scalar(
            select(Channel.kind).where(Channel.key == scene.dialog.channel_key)
        ):
            return await outreach.way_in(stage, scene.dialog)
    if channel is None:
        raise StepError("invalid", "There is no dialog here: name the channel.")
    return await outreach.way_to(stage, contact_id, channel)


async def _scene_on(stage: Stage, way: Way, contact_id: UUID) -> Scene:
    """The item's dialog if it goes this way, else the client's open one there, else a new one."""
    scene = stage.scene
    if scene is not None and scene.dialog.identity_id == way.identity_id:
        return scene
    other = await outreach.open_dialog_on(stage, way)
    if other is not None:
        return await outreach.lock_other(stage, other)
    return await outreach.begin_dialog(stage, way, contact_id)


async def _said_in_closed(stage: Stage, p: Any, way: Way) -> str:
    """What may be written in a closed window. Raises _ClosedError (skip), StepError(window_closed)."""
    if p.if_window_closed == "template":
        return await _from_template(stage, p, way)
    kind = _ClosedError if p.if_window_closed == "skip" else StepError
    raise kind("window_closed", f"The reply window of {way.channel} is closed.", details={"channel": way.channel})


async def _from_template(stage: Stage, p: Any, way: Way) -> str:
    details = {"channel": way.channel, "template": p.template}
    if p.template is None:
        raise StepError("window_closed", f"The reply window of {way.channel} is closed.", details=details)
    template = await stage.work.session.get(MessageTemplate, p.template)
    if template is None or not template.active:
        raise StepError("not_found", f"There is no template {p.template!r}.", details=details)
    if template.kinds and way.kind not in template.kinds:
        raise StepError("window_closed", f"The template {p.template} is not approved for {way.kind}.", details=details)
    return filled(template.text, await stage.see(), p.template_params)
