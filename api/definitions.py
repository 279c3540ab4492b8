"""Definitions of processes, macros and blueprints: the library, drafts, copies; what a launch asks for; the picture.

One set of doors for each kind. Texts are posted as they are written; a refused one answers 422 `invalid_definition`
with the diagnostics as `errors`, in the language of Accept-Language.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery
from fastapi.responses import PlainTextResponse
from pydantic import Field

from api.changes import Change, changing
from api.fields import KEY_PATTERN, Body, Key, KeyInPath, Storable
from api.house import CurrentHouse, House, Reading
from api.languages import Language
from api.launches import Version
from api.pages import Limit, Listed, Query
from api.sources import DOCUMENTED, Source, TakenSource
from api.viewers import needs
from domain.actions.catalogue import catalogue
from domain.definitions.schema import json_schema
from domain.errors import InvalidDefinitionError, InvalidError
from domain.permissions import Permission, Viewer
from domain.pictures import mermaid
from store import definitions, launch_menus, libraries, versions
from store.transactions import Work

Kind = Literal["process", "macro", "blueprint"]
Reader = Annotated[Viewer, Depends(needs(Permission.DEFINITIONS_READ))]
Managing = Annotated[Change, Depends(changing(Permission.DEFINITIONS_MANAGE))]
Manager = Annotated[Viewer, Depends(needs(Permission.DEFINITIONS_MANAGE))]
Short = Annotated[str, Field(min_length=1, max_length=200), Storable]
_MERMAID: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/vnd.mermaid": {"schema": {"type": "string"}}}, "description": "A Mermaid flowchart."}
}
PREFIXES: dict[Kind, str] = {"process": "processes", "macro": "macros", "blueprint": "blueprints"}


class LibraryQuery(Query):
    """`after` is the key of the last definition of the page before. Archived ones are shown when asked for."""

    q: Annotated[str, Field(max_length=200), Storable] | None = None
    status: Literal["active", "inactive", "archived"] | None = None
    category: Short | None = None
    tag: Short | None = None
    trigger: Literal["manual", "event", "schedule", "webhook"] | None = None
    parent: Annotated[str, Field(pattern=KEY_PATTERN)] | None = None
    after: Annotated[str, Field(pattern=KEY_PATTERN)] | None = None
    limit: Limit = 50


class FormQuery(Query):
    """`dialog`, `contact`, `operator`: what the launch will be about, for defaults that look at it."""

    dialog: UUID | None = None
    contact: UUID | None = None
    operator: UUID | None = None
    version: Version | Literal["draft"] | None = None


class PictureQuery(Query):
    format: Literal["mermaid"] = "mermaid"
    version: Version | Literal["draft"] | None = None


class CopyBody(Body):
    key: Key


def _router(kind: Kind) -> APIRouter:
    router = APIRouter(prefix=f"/{PREFIXES[kind]}", tags=["definitions"])

    @router.get("", name=f"list_{PREFIXES[kind]}")
    async def list_all(asked: Annotated[LibraryQuery, FromQuery()], viewer: Reader, session: Reading) -> Listed:
        """The library with run counts, children and the last change; whoever does not keep it sees what they may
        start.
        """
        sought = libraries.Sought(
            kind, asked.q, asked.status, asked.category, asked.tag, asked.trigger, asked.parent, asked.after,
            asked.limit, only=await launch_menus.visible_keys(session, viewer, kind),
        )  # fmt: skip
        items, after = await libraries.list_definitions(session, sought)
        return Listed(items=items, next=after, previous=None)

    @router.post("", status_code=201, name=f"add_{kind}", openapi_extra=DOCUMENTED)
    async def add(source: TakenSource, change: Managing, language: Language) -> dict[str, Any]:
        """A new definition from its first draft, valid or not; `diagnostics` say what is to be mended."""

        async def story(work: Work) -> dict[str, Any]:
            return await definitions.create(work, change.viewer.user_id, kind, source.text, source.media_type)

        return await _with_diagnostics(await change.make(story), change.house, change.viewer, source, language)

    @router.post("/validate", name=f"validate_{kind}", openapi_extra=DOCUMENTED)
    async def validate(source: TakenSource, viewer: Reader, house: CurrentHouse, language: Language) -> dict[str, Any]:
        """Everything there is to say about a text as one of this kind; saves nothing. Warnings only: 200."""
        found = await _diagnose(house, viewer, source, language, kind=kind)
        if errors := [one for one in found if one["severity"] == "error"]:
            first = errors[0]
            raise InvalidDefinitionError(f"{first['line']}:{first['column']} {first['message']}", errors=found)
        return {"valid": True, "diagnostics": found}

    @router.get("/{key}", name=f"read_{kind}")
    async def read(key: KeyInPath, viewer: Reader, session: Reading) -> dict[str, Any]:
        """The card; to those who keep the library with the draft."""
        await launch_menus.require_visible(session, viewer, kind, key)
        told = await definitions.get_definition(session, kind, key)
        if not launch_menus.sees_library(viewer):
            told = {name: value for name, value in told.items() if not name.startswith("draft")}
        return told

    @router.patch("/{key}", name=f"save_draft_of_{kind}", openapi_extra=DOCUMENTED)
    async def save_draft(key: KeyInPath, source: TakenSource, change: Managing, language: Language) -> dict[str, Any]:
        """Keep a text as the draft, valid or not, but not an empty one. Its name and kind stay what they are."""

        async def story(work: Work) -> dict[str, Any]:
            return await definitions.save_draft(work, change.viewer.user_id, kind, key, source.text, source.media_type)

        return await _with_diagnostics(await change.make(story), change.house, change.viewer, source, language)

    @router.delete("/{key}", status_code=204, name=f"archive_{kind}")
    async def archive(key: KeyInPath, change: Managing) -> None:
        """Triggers off, every launch refused; versions and runs stay."""

        async def story(work: Work) -> dict[str, Any]:
            return await definitions.archive(work, kind, key)

        await change.make(story)

    @router.post("/{key}/restoration", name=f"restore_{kind}")
    async def restore(key: KeyInPath, change: Managing) -> dict[str, Any]:
        """Back from the archive, inactive."""

        async def story(work: Work) -> dict[str, Any]:
            return await definitions.restore(work, kind, key)

        return await change.make(story)

    @router.post("/{key}/copy", status_code=201, name=f"copy_{kind}")
    async def copy(key: KeyInPath, body: CopyBody, change: Managing) -> dict[str, Any]:
        """A child: the same draft under another key."""

        async def story(work: Work) -> dict[str, Any]:
            return await definitions.copy(work, change.viewer.user_id, kind, key, body.key)

        return await change.make(story)

    @router.get("/{key}/form", name=f"form_of_{kind}")
    async def form(
        key: KeyInPath, asked: Annotated[FormQuery, FromQuery()], viewer: Reader, house: CurrentHouse
    ) -> dict[str, Any]:
        """What a launch asks for: a JSON Schema, `ui` in the form's order, `values` to begin with."""
        async with house.sessions() as session:
            return await launch_menus.form_of(
                Work(session), viewer, kind, key, version=asked.version, dialog_id=asked.dialog,
                contact_id=asked.contact, operator_id=asked.operator,
            )  # fmt: skip

    @router.get("/{key}/picture", name=f"picture_of_{kind}", response_class=PlainTextResponse, responses=_MERMAID)
    async def picture(
        key: KeyInPath, asked: Annotated[PictureQuery, FromQuery()], viewer: Reader, session: Reading
    ) -> PlainTextResponse:
        canonical = await launch_menus.canonical_of(session, viewer, kind, key, asked.version)
        return PlainTextResponse(mermaid(canonical), media_type="text/vnd.mermaid; charset=utf-8")

    return router


async def _diagnose(
    house: House, viewer: Viewer, source: Source, language: str, *, kind: Kind | None = None
) -> list[dict[str, Any]]:  # fmt: skip
    if "\x00" in source.text:
        raise InvalidError("A definition cannot contain the character NUL.", field="body")
    async with house.sessions() as session:
        return await versions.validate(session, viewer, source.text, language=language, kind=kind)


async def _with_diagnostics(
    told: dict[str, Any], house: House, viewer: Viewer, source: Source, language: str
) -> dict[str, Any]:
    return {**told, "diagnostics": await _diagnose(house, viewer, source, language)}


processes = _router("process")
macros = _router("macro")
blueprints = _router("blueprint")
schemas = APIRouter(prefix="/schemas", tags=["definitions"])


@schemas.get("/dsl-1.json")
async def language_schema() -> dict[str, Any]:
    """The language as a JSON Schema, for editors. Needs no sign-in: an editor has none."""
    return json_schema(catalogue())
