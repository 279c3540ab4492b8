"""People told, watching, or sent offline; contacts that turn out to be one person."""

from typing import Any, Literal

from domain.actions import capabilities
from domain.actions.fields import ContactId, Line, Link, Operator, People, Text
from domain.actions.manifests import Effect, Manifest, Params, Placement, Result, Retry, WriteParams
from domain.actions.particulars import Changed, Previous


class Watch(WriteParams):
    """`operator`: an id, or everybody of role:NAME, team:NAME."""

    operator: People


class Notify(Params):
    to: People
    text: Text
    title: Line | None = None
    link: Link | None = None
    sound: Literal["none", "soft", "urgent"] | None = None


class Notified(Result):
    count: int


class SetOperatorStatus(WriteParams):
    operator: Operator
    status: Literal["online", "busy", "away", "offline"]
    reason: Line | None = None


class MergeContacts(WriteParams):
    """`from` goes into `into`: its addresses, dialogs and tags."""

    into: ContactId
    from_: ContactId

    model_config = {"alias_generator": lambda name: name.rstrip("_")}


def _status(p: Any, names: Any) -> dict[str, Any]:
    operator = names.get("operator") or {}
    return {"previous": operator.get("status") if operator.get("id") == p.operator else None}


_WRITES: dict[str, Any] = {"effect": Effect.WRITE, "placement": Placement.LOCAL}

ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "add_watcher", Watch, Changed, capability=capabilities.EDIT, **_WRITES, can_undo=True,
        simulate=lambda p, names: {"changed": True},
        label={"uk": "Додати спостерігача", "en": "Add watcher"}, icon="eye",
    ),
    Manifest(
        "remove_watcher", Watch, Changed, capability=capabilities.EDIT, **_WRITES, can_undo=True,
        simulate=lambda p, names: {"changed": True},
        label={"uk": "Прибрати спостерігача", "en": "Remove watcher"}, icon="eye-off",
    ),
    Manifest(
        "notify", Notify, Notified, capability=capabilities.NOTIFY, **_WRITES, needs="none",
        simulate=lambda p, names: {"count": 1}, retry=Retry(max_attempts=3),
        label={"uk": "Сповістити колег", "en": "Notify"}, icon="bell",
    ),
    Manifest(
        "set_operator_status", SetOperatorStatus, Previous, capability=capabilities.FORCE, **_WRITES, needs="none",
        heavy=True, can_undo=True, simulate=_status,
        label={"uk": "Змінити статус оператора", "en": "Set operator status"}, icon="user",
    ),
    Manifest(
        "merge_contacts", MergeContacts, Result, capability=capabilities.CONTACT, **_WRITES, needs="none",
        heavy=True, can_undo=True, macros_only=True, simulate=lambda p, names: {},
        label={"uk": "Об'єднати контакти", "en": "Merge contacts"}, icon="git-merge",
    ),
)  # fmt: skip
