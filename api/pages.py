"""How lists are asked for and answered, page by page."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from domain.criteria import Criteria, parse
from domain.permissions import Viewer
from store import settings

Cursor = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^[\x21-\x7e]+$")]
Limit = Annotated[int, Field(ge=1, le=200)]
Value = Annotated[str, Field(max_length=200)]
Values = Annotated[list[Value], Field(max_length=100)]
Moment = Annotated[str, Field(max_length=40, description="A date (the whole day) or a moment.")]


class Listed(BaseModel):
    """A page. `next` is the `after=` of the page behind it (null: there is none), `previous` the `before=` of the
    page ahead of it, where newer rows may have come meanwhile.
    """

    items: list[dict[str, Any]]
    next: str | None
    previous: str | None


class Query(BaseModel):
    """An unknown parameter is refused: a misspelt filter must not pass for one that was applied."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class CriteriaQuery(Query):
    """The fields dialogs are filtered by: a repeated one means any of its values, different ones all must fit."""

    status: Values = Field([], description="A status or a place (bot, unassigned, queued, owned).")
    kind: Values = Field([], description="chat, ticket, comment, group")
    topic: Values = Field([], description="Key, or none.")
    tag: Values = Field([], description="Key, or none.")
    operator: Values = Field([], description="Id, me or none: who holds it; of a closed one who held it last.")
    channel: Values = []
    team: Values = []
    contact: Values = []
    rating: Values = Field([], description="Score, or none.")
    from_: list[Moment] = Field([], alias="from", max_length=1, description="Opened at or after.")
    to: list[Moment] = Field([], max_length=1, description="Opened before; a date counts itself in.")
    awaiting_reply: Annotated[list[Value], Field(max_length=1)] = Field([], description="true or false")
    overdue: Annotated[list[Value], Field(max_length=1)] = Field(
        [], description="true: a promise to the client is broken and not made good yet; or false"
    )
    q: Annotated[list[Value], Field(max_length=1)] = Field(
        [], description="Words of a message, the dialog's number, or a part of the contact's name, phone or e-mail."
    )

    async def criteria(self, session: AsyncSession, viewer: Viewer) -> Criteria:
        """Raises InvalidError naming the field."""
        given = {
            name: getattr(self, "from_" if name == "from" else name)
            for name in ("status", "kind", "topic", "tag", "operator", "channel", "team", "contact", "rating",
                         "from", "to", "awaiting_reply", "overdue", "q")
        }  # fmt: skip
        has_dates = bool(self.from_ or self.to)
        zone = ZoneInfo(await settings.value_of(session, "time_zone")) if has_dates else ZoneInfo("UTC")
        return parse({name: values for name, values in given.items() if values}, me=viewer.user_id, zone=zone)
