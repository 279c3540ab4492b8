"""Definitions on their way between installations: out as one bundle, in again with names bound to those here."""

import json
from typing import Annotated, Any, Literal

import yaml
from fastapi import APIRouter, Depends, Response
from fastapi import Query as FromQuery
from pydantic import Field

from api.changes import Change, changing
from api.definitions import PREFIXES, Kind
from api.fields import KeyInPath
from api.house import Reading
from api.languages import Language
from api.pages import Query
from api.sources import DOCUMENTED, JSON, YAML, Source, TakenBundle
from api.versions import Librarian
from domain.definitions.composing import compose
from domain.definitions.diagnostics import Findings
from domain.definitions.places import Places
from domain.errors import InvalidDefinitionError, InvalidError
from domain.permissions import Permission
from store import bundles
from store.transactions import Work

Managing = Annotated[Change, Depends(changing(Permission.DEFINITIONS_MANAGE))]
_BUNDLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {YAML: {"schema": {"type": "object"}}}, "description": "The bundle, as JSON or YAML."}
}


class ExportQuery(Query):
    format: Literal["json", "yaml"] = "json"


class ImportQuery(Query):
    dry_run: bool = Field(False, description="Say what would be made or changed, and save nothing.")


def _router(kind: Kind) -> APIRouter:
    router = APIRouter(prefix=f"/{PREFIXES[kind]}/{{key}}", tags=["definitions"])

    @router.get("/export", name=f"export_{kind}", response_model=dict[str, Any], responses=_BUNDLE)
    async def export(
        key: KeyInPath, asked: Annotated[ExportQuery, FromQuery()], viewer: Librarian, session: Reading
    ) -> dict[str, Any] | Response:
        """The definition with all it starts, and what it needs of an installation by name. Never a secret."""
        bundle = await bundles.export(session, kind, key)
        if asked.format == "yaml":
            return Response(yaml.safe_dump(bundle, allow_unicode=True, sort_keys=False), media_type=YAML)
        return bundle

    return router


processes = _router("process")
macros = _router("macro")
blueprints = _router("blueprint")
imports = APIRouter(tags=["definitions"])


@imports.post("/import", openapi_extra=DOCUMENTED)
async def take_in(
    taken: TakenBundle, asked: Annotated[ImportQuery, FromQuery()], change: Managing, language: Language
) -> dict[str, Any]:
    """Make or change drafts from a bundle; nothing is published. `bindings` in it: {teams: {theirs: ours}, …}.
    Answers what each would be, what differs, and its diagnostics.
    """
    bundle = _read(taken)
    bindings = bundle.pop("bindings", None) or {}
    if not isinstance(bindings, dict):
        raise InvalidError("`bindings` are {kind: {theirs: ours}}.", field="bindings")

    async def story(work: Work) -> dict[str, Any]:
        return await bundles.take_in(work, change.viewer, bundle, bindings, dry_run=asked.dry_run, language=language)

    return await change.make(story)


def _read(taken: Source) -> dict[str, Any]:
    """Raises InvalidError, InvalidDefinitionError for YAML that cannot be read (with its diagnostics)."""
    document: Any = None
    if taken.media_type == JSON:
        try:
            document = json.loads(taken.text)
        except (ValueError, RecursionError):
            raise InvalidError("The body is not JSON.", field="body") from None
    else:
        findings = Findings(Places())
        is_read, document = compose(taken.text, findings)
        if not is_read or findings.has_errors:
            errors = [one.as_json() for one in findings.sorted()]
            raise InvalidDefinitionError("The bundle cannot be read.", errors=errors)
    if not isinstance(document, dict):
        raise InvalidError("A bundle is an object.", field="body")
    return document
