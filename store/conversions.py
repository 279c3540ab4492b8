"""A chat becomes a ticket: the same dialog, of another kind, with a ticket's number, author and fields."""

from typing import Any

from sqlalchemy import text

from domain import dialogs as rules
from domain import tickets
from domain.commands import Convert
from domain.errors import InvalidError, NotYoursError, WrongStatusError
from domain.events import Fact
from domain.permissions import Viewer, leads, require_acting
from domain.workflow_ids import of_dialog
from store import ratings
from store.assignees import hand_to
from store.dialogs import Scene
from store.fields import MOST_FIELDS, SAID, record_update, require_said, set_said
from store.json_values import storable_text
from store.places import settle_waiting
from store.priorities import require_priority
from store.tables import Dialog
from store.ticket_fields import FIELDS_OF, specs_of
from store.transactions import Work

#: what the ticket gets with its kind: a number, and the fields of its topic
_GETS = text(
    "SELECT nextval('ticket_numbers') AS number, " + FIELDS_OF.format(topic="CAST(:topic AS text)") + " AS fields"
)


async def convert(work: Work, scene: Scene, viewer: Viewer, command: Convert) -> dict[str, Any]:
    """A closed chat becomes an open ticket. An assignee may be offline, but needs room (DECISIONS 25).

    Raises WrongStatusError for a ticket, NotYoursError, InvalidError, AtCapacityError, OperatorUnsuitableError.
    """
    dialog = scene.dialog
    if dialog.kind == rules.Kind.TICKET:
        raise WrongStatusError("This is a ticket already.")
    _require_may(viewer, scene)
    gets = (await work.session.execute(_GETS, {"topic": dialog.topic_key})).one()
    specs = specs_of(gets.fields)
    values = tickets.merge(specs, dialog.fields, command.fields)
    if len(values) > MOST_FIELDS:
        raise InvalidError(f"A dialog has at most {MOST_FIELDS} fields.", field="fields")
    said = {name: require_said(name, getattr(command, name)) for name in SAID}
    if command.priority is not None and command.priority != dialog.priority:
        await require_priority(work.session, command.priority)
    before = {"kind": dialog.kind, "status": dialog.status}
    was_closed = rules.is_closed(dialog.status)
    dialog.kind, dialog.ticket_number, dialog.author_id = rules.Kind.TICKET, gets.number, work.actor.id
    dialog.status = rules.Status.IN_PROGRESS if dialog.place == rules.Place.OWNED else rules.Status.OPEN
    dialog.ticket_type = storable_text(command.ticket_type) or dialog.ticket_type
    if was_closed:
        await _open_again(work, scene)
    scene.refresh_relation()
    work.record(
        Fact.DIALOG_CONVERTED, **scene.event_ids, operator_id=dialog.operator_id, before=before,
        after={"kind": dialog.kind, "status": dialog.status},
    )  # fmt: skip
    work.record(
        Fact.TICKET_CREATED, **scene.event_ids, operator_id=dialog.operator_id, number=dialog.ticket_number,
        type=dialog.ticket_type, priority=command.priority or dialog.priority,
    )  # fmt: skip
    _describe(work, scene, command, said, values)
    await work.session.flush()
    is_given = command.assignee is not None and await hand_to(work, scene, command.assignee, cause="converted")
    if was_closed and not is_given:
        await settle_waiting(work, scene, cause="converted")
    return {**told(dialog), "left": sorted(tickets.sort_out(specs, dialog.fields)[1])}


def told(dialog: Dialog) -> dict[str, Any]:
    """What is answered of a ticket that was just made."""
    assert dialog.ticket_number is not None
    return {
        "ticket_id": str(dialog.id), "dialog_id": str(dialog.id), "number": dialog.ticket_number,
        "spoken": tickets.spoken(dialog.ticket_number),
        "status": dialog.status, "place": dialog.place, "team": dialog.team_key,
        "operator_id": str(dialog.operator_id) if dialog.operator_id else None,
    }  # fmt: skip


def _describe(work: Work, scene: Scene, command: Convert, said: dict[str, str | None], values: dict[str, Any]) -> None:
    """What was given with the conversion changes as it would afterwards, and is told of likewise."""
    dialog = scene.dialog
    if command.priority is not None and command.priority != dialog.priority:
        work.record(
            Fact.DIALOG_PRIORITY_CHANGED, **scene.event_ids, operator_id=dialog.operator_id,
            before={"priority": dialog.priority}, after={"priority": command.priority},
        )  # fmt: skip
        dialog.priority = command.priority
    set_said(work, scene, {name: value for name, value in said.items() if value is not None})
    changed = sorted(name for name in command.fields if dialog.fields.get(name) != values.get(name))
    if changed:
        record_update(work, scene, dialog.fields, values, changed)
        dialog.fields = values


def _require_may(viewer: Viewer, scene: Scene) -> None:
    if not rules.is_closed(scene.dialog.status):
        require_acting(viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
        return
    mine = viewer.user_id in (scene.dialog.last_operator_id, scene.dialog.author_id)
    if not mine and not leads(viewer, scene.relation) and scene.dialog.team_key not in viewer.teams:
        raise NotYoursError("Only its last operator, its team or a supervisor may make a ticket of this dialog.")


async def _open_again(work: Work, scene: Scene) -> None:
    dialog = scene.dialog
    dialog.place = rules.place_when_waiting(auto=scene.team.auto)
    dialog.closed_at = dialog.closed_by = None
    dialog.waiting_since = work.now
    dialog.cycle += 1
    await ratings.supersede(work, dialog.id)
    work.react(of_dialog(dialog.id), "dialog_reopened", cycle=dialog.cycle)
