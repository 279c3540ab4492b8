"""A history as it is answered: lines in words, people by name, sealed places to go on from, links to Temporal's UI."""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import quote

import orjson
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.house import House
from domain.errors import InvalidError
from domain.histories import Event, Line
from domain.sentences import people_in, sentence
from gateways.chains import Place
from store import histories
from store.histories import RunRow

_SEAL = 16


class Runs(BaseModel):
    items: list[dict[str, Any]]
    next: str | None


class Told(BaseModel):
    """A page of a history, newest first. `next` is the `after=` of the page behind it (null: there is none).

    `live` is `unavailable` when Temporal is away and only kept copies are told. With `raw=true` the items are events.
    """

    workflow_id: str
    items: list[dict[str, Any]]
    next: str | None
    live: Literal["included", "unavailable"]
    runs: list[dict[str, Any]] = Field(description="The runs of this workflow, newest first.")
    link: str | None = Field(description="Temporal's own UI.")


async def lines_of(
    session: AsyncSession, house: House, workflow_id: str, lines: Sequence[Line]
) -> list[dict[str, Any]]:
    names = await histories.names_of(session, {person for line in lines for person in people_in(line)})
    return [
        {
            "at": line.at,
            "began_at": line.began_at,
            "category": line.category,
            "code": line.code,
            "what": sentence(line, names.get),
            "by": {"kind": line.by.kind, "id": line.by.id, "name": names.get(line.by.id) if line.by.id else None},
            "why": line.why,
            "outcome": line.outcome,
            "took": None if line.took is None else round(line.took.total_seconds(), 6),
            "attempts": line.attempts,
            "facts": line.facts,
            "details": line.details,
            "events": {"first": line.first, "last": line.last},
            "run_id": line.run_id,
            "link": link_to(house, workflow_id, line.run_id),
        }
        for line in lines
    ]


def event_of(run_id: str, event: Event) -> dict[str, Any]:
    return {
        "id": event.id, "at": event.at, "kind": event.kind, "facts": event.facts, "summary": event.summary,
        "update_id": event.update_id, "run_id": run_id,
    }  # fmt: skip


def run_of(house: House, run: RunRow) -> dict[str, Any]:
    return {
        "workflow_id": run.workflow_id, "run_id": run.run_id, "kind": run.kind, "dialog_id": run.dialog_id,
        "state": run.status or "running", "started_at": run.started_at, "closed_at": run.closed_at,
        "kept": run.is_kept, "events": run.events, "link": link_to(house, run.workflow_id, run.run_id),
    }  # fmt: skip


def link_to(house: House, workflow_id: str, run_id: str | None = None) -> str | None:
    if house.temporal_ui is None:
        return None
    link = f"{house.temporal_ui}/workflows/{quote(workflow_id, safe='')}"
    return f"{link}/{run_id}/history" if run_id else link


def seal(house: House, workflow_id: str, place: Place) -> str:
    """The place as a cursor. Sealed, since Temporal takes the token within for granted: it could open other runs."""
    told = [place.run_id, place.before, place.told, base64.b64encode(place.token).decode()]
    body = zlib.compress(orjson.dumps(told))
    return base64.urlsafe_b64encode(_seal(house, workflow_id, body) + body).decode().rstrip("=")


def unseal(house: House, workflow_id: str, cursor: str) -> Place:
    """Raises InvalidError for a cursor that was not given for this history."""
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        sealed = b""
    body = sealed[_SEAL:]
    if not hmac.compare_digest(sealed[:_SEAL], _seal(house, workflow_id, body)):
        raise InvalidError("This cursor belongs to another history.", field="after")
    run_id, before, told, token = orjson.loads(zlib.decompress(body))
    return Place(run_id, before, tuple(told), base64.b64decode(token))


def _seal(house: House, workflow_id: str, body: bytes) -> bytes:
    key = b"history\0" + house.secret_key
    return hmac.digest(key, workflow_id.encode() + b"\0" + body, hashlib.sha256)[:_SEAL]
