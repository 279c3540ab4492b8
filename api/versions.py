"""Versions of definitions: published once, never changed; which of them is active; what is new in one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi import Query as FromQuery
from pydantic import Field, ValidationError

from api.changes import Change, changing
from api.definitions import PREFIXES, Kind
from api.fields import Body, KeyInPath, Storable
from api.house import Reading
from api.languages import Language
from api.launches import Version
from api.pages import Query
from api.sources import DOCUMENTED, LARGEST, YAML, Source, TakenSource, fields_in
from api.viewers import needs
from domain.errors import ForbiddenError, InvalidError
from domain.permissions import Permission, Viewer
from store import launch_menus, versions
from store.definitions import find_row
from store.transactions import Work


async def _librarian(viewer: Annotated[Viewer, Depends(needs(Permission.DEFINITIONS_READ))]) -> Viewer:
    if not launch_menus.sees_library(viewer):
        raise ForbiddenError("This is for those who keep the library, or control runs.")
    return viewer


Librarian = Annotated[Viewer, Depends(_librarian)]
Managing = Annotated[Change, Depends(changing(Permission.DEFINITIONS_MANAGE))]
VersionInPath = Annotated[int, Path(ge=1, le=2**31 - 1)]
Note = Annotated[str, Field(max_length=versions.LONGEST_NOTE), Storable]
_PUBLISHED: dict[str, Any] = {"requestBody": {**DOCUMENTED["requestBody"], "required": False}}


class Publication(Body):
    """`source`: a text to publish instead of the draft; it becomes the draft."""

    note: Note | None = None
    source: Annotated[str, Field(max_length=LARGEST), Storable] | None = None


class PublishQuery(Query):
    note: Note | None = Field(None, description="Where the body is the definition itself.")


class Activation(Body):
    """Without a version the latest."""

    version: Version | None = None


def _router(kind: Kind) -> APIRouter:
    router = APIRouter(prefix=f"/{PREFIXES[kind]}/{{key}}", tags=["definitions"])

    @router.post("/versions", status_code=201, name=f"publish_{kind}", openapi_extra=_PUBLISHED)
    async def publish(
        key: KeyInPath,
        taken: TakenSource,
        asked: Annotated[PublishQuery, FromQuery()],
        change: Managing,
        language: Language,
    ) -> dict[str, Any]:
        """Publish the draft, or the definition in the body, as the next version: it has to pass every check and its
        own tests. Body: nothing, `{"note", "source"}`, or the definition as YAML or JSON. Answers `warnings`, too.
        """
        wanted, source = _read(taken, asked.note)

        async def story(work: Work) -> dict[str, Any]:
            return await versions.publish(
                work, change.viewer, kind, key, note=wanted.note, source=source.text if source else None,
                media_type=source.media_type if source else YAML, language=language,
            )  # fmt: skip

        return await change.make(story)

    @router.get("/versions", name=f"list_versions_of_{kind}")
    async def list_versions(key: KeyInPath, viewer: Librarian, session: Reading) -> dict[str, Any]:
        """Newest first."""
        return {"items": await versions.list_versions(session, kind, key)}

    @router.get("/versions/{version}", name=f"read_version_of_{kind}")
    async def read_version(
        key: KeyInPath, version: VersionInPath, viewer: Librarian, session: Reading
    ) -> dict[str, Any]:
        return await versions.get_version(session, kind, key, version)

    @router.get("/versions/{before}/diff/{after}", name=f"compare_versions_of_{kind}")
    async def compare(
        key: KeyInPath, before: VersionInPath, after: VersionInPath, viewer: Librarian, session: Reading
    ) -> dict[str, Any]:
        """What differs: `changes` by path, steps by their ids (`/do/greet/with/text`), and `text` line by line."""
        return await versions.diff(session, kind, key, before, after)

    @router.post("/activation", name=f"activate_{kind}")
    async def activate(
        key: KeyInPath, change: Managing, language: Language, body: Activation | None = None
    ) -> dict[str, Any]:
        """New runs use this version from now on, and its triggers count; runs under way keep theirs."""

        async def story(work: Work) -> dict[str, Any]:
            number = body.version if body else None
            if number is None:
                number = (await find_row(work.session, kind, key)).latest_version
                if not number:
                    raise InvalidError("Publish a version first.", field="version")
            return await versions.activate(work, kind, key, number, language=language)

        return await change.make(story)

    @router.delete("/activation", name=f"deactivate_{kind}")
    async def deactivate(key: KeyInPath, change: Managing) -> dict[str, Any]:
        """Nothing starts it any more; what runs goes on."""

        async def story(work: Work) -> dict[str, Any]:
            return await versions.deactivate(work, kind, key)

        return await change.make(story)

    return router


def _read(taken: Source, note: str | None) -> tuple[Publication, Source | None]:
    """What to publish: (note, text); no text means the draft. Raises InvalidError for fields there are not."""
    if not taken.text.strip():
        return Publication(note=note), None
    fields = fields_in(taken)
    if fields is None:
        return Publication(note=note), taken
    try:
        wanted = Publication.model_validate({"note": note, **fields})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = "/" + "/".join(str(part) for part in first["loc"])
        raise InvalidError(f"{place}: {first['msg']}", field=place) from None
    return wanted, Source(wanted.source, YAML) if wanted.source is not None else None


processes = _router("process")
macros = _router("macro")
blueprints = _router("blueprint")
