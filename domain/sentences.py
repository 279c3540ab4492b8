"""Lines of a history in words. Codes are for programs; these sentences are for people."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.histories import By, Category, Line
from domain.lines import as_uuid

NameOf = Callable[[UUID], str | None]

#: command → (what somebody did, what somebody tried to do); {…} are fields of the command
_COMMANDS: dict[str, tuple[str, str]] = {
    "say": ("replied to the client", "reply to the client"),
    "note": ("wrote a note", "write a note"),
    "take": ("took the dialog", "take the dialog"),
    "assign": ("assigned the dialog to {operator_id}", "assign the dialog to {operator_id}"),
    "unassign": ("gave the dialog back to the pool", "give the dialog back to the pool"),
    "close": ("closed the dialog", "close the dialog"),
    "reopen": ("reopened the dialog", "reopen the dialog"),
    "connect": ("handed the dialog to people", "hand the dialog to people"),
    "transfer": ("offered the dialog to {to_operator}", "offer the dialog to {to_operator}"),
    "hand_over": ("handed the dialog over to team {to_team}", "hand the dialog over to team {to_team}"),
    "accept": ("accepted the offer", "accept the offer"),
    "decline": ("declined the offer", "decline the offer"),
    "cancel": ("cancelled the offer", "cancel the offer"),
    "add_participant": ("added {user_id} to the dialog", "add {user_id} to the dialog"),
    "remove_participant": ("removed {user_id} from the dialog", "remove {user_id} from the dialog"),
    "watch": ("made {user_id} watch the dialog", "make {user_id} watch the dialog"),
    "unwatch": ("ended the watching of {user_id}", "end the watching of {user_id}"),
    "merge": ("merged other tickets into it", "merge other tickets into it"),
    "set_topic": ("set the topic to {topic}", "set the topic to {topic}"),
    "add_tag": ("added the tag {tag}", "add the tag {tag}"),
    "remove_tag": ("removed the tag {tag}", "remove the tag {tag}"),
    "set_priority": ("set the priority to {priority}", "set the priority to {priority}"),
    "set_status": ("set the status to {status}", "set the status to {status}"),
}
_BROUGHT_UP = {
    "dialog_opened": "the client opened the dialog",
    "message_queued": "a reply waits to be sent",
    "transfer_offered": "an offer was made",
    "offer_ended": "the offer ended",
    "dialog_closed": "the dialog was closed",
    "dialog_reopened": "the dialog was reopened",
    "presence_changed": "the status or the connection changed",
    "clocks_changed": "something earlier is due, or nothing is any more",
}
_WAITS = {
    "window": "the end of the offer's window",
    "lease": "the end of the connection's lease",
    "deadline": "the next threshold or deadline",
    "linger": "late news before ending",
    "wait": "its time",
}
_ACTIVITIES = {
    "deliver_message": "Delivery of a message",
    "give_up_delivery": "A message was given up",
    "look_at_dialog": "Looked at what is new",
    "look_at_offer": "Looked at the offer",
    "judge_presence": "Looked at the connection",
    "look_at_clocks": "Looked at the clocks",
    "apply_command": "Carried out a command",
}
_CHILDREN = {"TransferWorkflow": "The window of an offer"}
_LIFE = {
    "began": "The workflow began",
    "continued": "The workflow went on in a new run",
    "continued_as_new": "The run was followed by a new one",
    "ended": "The workflow ended",
    "failed": "The workflow failed",
    "timed_out": "The workflow ran out of time",
    "terminated": "The workflow was terminated by hand",
    "canceled": "The workflow was cancelled",
    "cancel_requested": "The workflow was asked to stop",
    "workflow_task_failed": "A step of the engine failed",
    "workflow_task_timed_out": "A step of the engine took too long",
    "lost": "This run's history is no longer kept",
}


def sentence(line: Line, name_of: NameOf) -> str:
    match line.category:
        case Category.COMMAND | Category.REFUSED:
            return _said(line, name_of)
        case Category.WAIT:
            return _waited(line)
        case Category.CHILD:
            return f"{_CHILDREN.get(line.code, line.code)} {_ended(line, started='began')}"
        case Category.DELIVERY:
            return f"{_named(line.code)} {_ended(line, started='began')}{_tries(line)}"
    if line.code in _LIFE:
        end = f": {_spaced(line.outcome)}" if line.code == "ended" and line.outcome != "done" else ""
        return _LIFE[line.code] + end
    if line.facts:
        return _capital(", ".join(_BROUGHT_UP.get(f, _spaced(f)) for f in dict.fromkeys(line.facts)))
    if line.code == "look_at_offer" and line.outcome != "done":
        return f"The offer ended: {line.outcome}"
    name = _CHILDREN.get(line.code) or _named(line.code)
    end = "" if line.outcome == "done" else f": {_spaced(line.outcome)}"
    return f"{name}{end}{_tries(line)}"


def people_in(line: Line) -> set[UUID]:
    """Everybody whose name the line's sentence needs."""
    found = {line.by.id, *(as_uuid(v) for k, v in line.details.items() if k in _PEOPLE)}
    return {person for person in found if person is not None}


_PEOPLE = frozenset({"operator_id", "to_operator", "user_id"})


def _said(line: Line, name_of: NameOf) -> str:
    who = _who(line.by, name_of)
    variant = line.code
    if line.code == "say" and line.details.get("mode") == "note":
        variant = "note"
    elif line.code == "transfer" and line.details.get("to_team"):
        variant = "hand_over"
    did, tried = _COMMANDS.get(variant) or _unnamed(variant)
    if line.category == Category.REFUSED:
        return f"{who} tried to {_filled(tried, line, name_of)}: refused ({line.outcome})"
    if line.outcome == "pending":
        return f"{who} wants to {_filled(tried, line, name_of)}: not answered yet"
    return f"{who} {_filled(did, line, name_of)}"


def _unnamed(command: str) -> tuple[str, str]:
    name = _spaced(command).replace("{", "(").replace("}", ")")
    return f"asked for: {name}", f"ask for: {name}"


class _Fields(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "nothing" if key in ("topic", "status") else "somebody"


def _filled(words: str, line: Line, name_of: NameOf) -> str:
    told = {k: (_name(v, name_of) if k in _PEOPLE else v) for k, v in line.details.items() if isinstance(v, str)}
    return words.format_map(_Fields(told))


def _waited(line: Line) -> str:
    until = line.details.get("until")
    what = _WAITS.get(line.code, line.code)
    moment = f" at {until:%H:%M:%S}" if isinstance(until, datetime) else ""
    if line.outcome == "pending":
        return f"Waits for {what}{moment}"
    if line.outcome == "woke":
        return f"Waited for {what}{moment}, woke at {line.at:%H:%M:%S}"
    return f"Waited for {what}{moment}; something else came first at {line.at:%H:%M:%S}"


def _ended(line: Line, *, started: str) -> str:
    words = {"started": started, "pending": "is under way", "cancelled": "was stopped", "done": "ended"}
    return words.get(line.outcome, f"ended: {_spaced(line.outcome)}")


def _tries(line: Line) -> str:
    return f" (try {line.attempts})" if line.attempts and line.attempts > 1 else ""


def _who(by: By, name_of: NameOf) -> str:
    if by.id is not None:
        return name_of(by.id) or "Somebody"
    return {"clock": "The clock", "system": "The system"}.get(by.kind, "Somebody")


def _name(value: Any, name_of: NameOf) -> str:
    found = as_uuid(value)
    return (name_of(found) if found else None) or "somebody"


def _named(code: str) -> str:
    return _ACTIVITIES.get(code) or _capital(_spaced(code))


def _spaced(code: str) -> str:
    return code.replace("_", " ")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
