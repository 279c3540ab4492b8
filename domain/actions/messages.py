"""What clients are sent. A preview tells from the scope what would not be: no consent, a closed reply window, a ban."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from domain.actions import capabilities
from domain.actions.fields import Channel, ContactId, Duration, Id, Json, Line, People, QuickReply, Template, Text
from domain.actions.manifests import Effect, Manifest, Params, Placement, Result, Retry
from domain.messages import MOST_ATTACHMENTS
from domain.walks.ports import StepError

MOST_PARAMS = 50
MOST_CHANNELS = 10
TextOrTexts = Text | dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], Text]
Parameters = Annotated[dict[Annotated[str, Field(max_length=100)], Json], Field(max_length=MOST_PARAMS)]
Purpose = Literal["service", "marketing"]
IfClosed = Literal["skip", "fail", "template"]
Channels = Annotated[list[Channel], Field(max_length=MOST_CHANNELS)]


class Sending(Params):
    """`if_window_closed`: what to do where the channel allows no message now. `template`: for that case."""

    channel: Channel | None = None
    attachments: Annotated[list[Id], Field(max_length=MOST_ATTACHMENTS)] = Field(default_factory=list)
    if_window_closed: IfClosed = "fail"
    template: Template | None = None
    template_params: Parameters = Field(default_factory=dict)
    fallback_channels: Channels = Field(default_factory=list)
    purpose: Purpose = "service"


class SendMessage(Sending):
    """`text`: one, or by language, as {uk: …, en: …}."""

    text: TextOrTexts


class SendQuickReply(Sending):
    """`params` fill the fields of the ready text."""

    quick_reply: QuickReply
    params: Parameters = Field(default_factory=dict)


class StartDialog(Params):
    """With the item's contact unless `contact` or `address` names another. `text`, or `template`, is said first."""

    channel: Channel
    contact: ContactId | None = None
    address: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    text: TextOrTexts | None = None
    template: Template | None = None
    template_params: Parameters = Field(default_factory=dict)
    if_window_closed: IfClosed | None = None
    purpose: Purpose = "service"
    assign_to: People | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "StartDialog":
        if self.text is None and self.template is None:
            raise ValueError("give a text or a template")
        return self


class RequestCsat(Params):
    """Scores from the first number of `scale` to its second. `delay`: how long to wait before it is sent."""

    scale: Literal["1-5", "0-10", "1-2"] = "1-5"
    question: Line = "Оцініть, будь ласка, нашу роботу"
    delay: Duration | None = None


class Sent(Result):
    sent: bool
    message_id: str | None = None
    channel: str | None = None
    reason: str | None = None


class Started(Result):
    dialog_id: str | None = None
    sent: bool = False
    reason: str | None = None


class Requested(Result):
    request_id: str | None = None
    sent: bool = True


def _channel(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """key, kind, window_open of the channel that would be written in, as far as the scope tells."""
    dialog, contact = names.get("dialog") or {}, names.get("contact") or {}
    if p.channel is None or p.channel in (dialog.get("channel"), dialog.get("channel_kind")):
        return {
            "key": dialog.get("channel"), "kind": dialog.get("channel_kind"),
            "window_open": dialog.get("window_open"),
        }  # fmt: skip
    known = [c for c in contact.get("channels") or [] if p.channel in (c.get("key"), c.get("kind"))]
    return known[0] if known else {"key": p.channel}


def _send(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    contact, channel = names.get("contact") or {}, _channel(p, names)
    shown = {"message_id": None, "channel": channel.get("key") or channel.get("kind")}
    if contact.get("blocked") is True:
        raise StepError("blocked_by_contact", "The client is banned.")
    if p.purpose == "marketing" and contact.get("consent") is False:
        return {"sent": False, "reason": "no_consent", **shown}
    if channel.get("window_open") is False:
        if p.if_window_closed == "skip":
            return {"sent": False, "reason": "window_closed", **shown}
        if p.if_window_closed != "template" or p.template is None:
            raise StepError("window_closed", "The channel's reply window is closed.")
    return {"sent": True, **shown}


def _start(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    contact = names.get("contact") or {}
    if contact.get("blocked") is True:
        raise StepError("blocked_by_contact", "The client is banned.")
    if p.purpose == "marketing" and contact.get("consent") is False:
        return {"dialog_id": None, "sent": False, "reason": "no_consent"}
    return {"dialog_id": None, "sent": True}


_RETRY = Retry(max_attempts=5, on=frozenset({"rate_limited", "unavailable", "timeout"}))
_SENDS: dict[str, Any] = {
    "effect": Effect.SEND, "placement": Placement.SEND, "capability": capabilities.SEND, "retry": _RETRY,
}  # fmt: skip

ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "send_message", SendMessage, Sent, **_SENDS, simulate=_send,
        label={"uk": "Надіслати повідомлення", "en": "Send a message"}, icon="send",
    ),
    Manifest(
        "send_quick_reply", SendQuickReply, Sent, **_SENDS,
        simulate=lambda p, names: {**_send(p, names), "version": None},
        label={"uk": "Надіслати швидку відповідь", "en": "Send a quick reply"}, icon="zap",
    ),
    Manifest(
        "start_dialog", StartDialog, Started, **_SENDS, needs="contact", heavy=True, simulate=_start,
        label={"uk": "Почати діалог", "en": "Start a dialog"}, icon="message-circle",
    ),
    Manifest(
        "request_csat", RequestCsat, Requested, **_SENDS,
        simulate=lambda p, names: {"request_id": None, "sent": True},
        label={"uk": "Попросити оцінку", "en": "Ask for a score"}, icon="star",
    ),
)  # fmt: skip
