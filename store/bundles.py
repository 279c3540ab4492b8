"""Taking definitions out as one bundle, and in again, their names bound to those of this installation."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.bundles import BOUND, FORMAT, MOST_DEFINITIONS, bind, requires
from domain.definitions.canonical import from_canonical
from domain.definitions.loading import load
from domain.definitions.surveys import steps_of
from domain.errors import InvalidDefinitionError, InvalidError
from domain.permissions import Viewer
from domain.publishing import changes
from store import definitions, versions
from store.definitions import JSON, find_row
from store.tables import Definition, DefinitionVersion
from store.transactions import Work


async def export(session: AsyncSession, kind: str, key: str) -> dict[str, Any]:
    """The active version (else the newest, else the draft) with all it starts and the blueprint it was made from.
    Never a secret: connections go by their names. Raises NotFoundError, InvalidDefinitionError for an unreadable draft.
    """
    found: dict[str, dict[str, Any]] = {}
    canonicals: list[dict[str, Any]] = []
    waiting = [await find_row(session, kind, key)]
    while waiting and len(found) < MOST_DEFINITIONS:
        row = waiting.pop(0)
        if row.key in found:
            continue
        entry, canonical = await _entry(session, row)
        found[row.key] = entry
        canonicals.append(canonical)
        names = {visit.step.run.name for visit in steps_of(from_canonical(canonical)) if visit.step.kind == "run"}
        use = (load(entry["source"]).canonical or {}).get("use") or {}
        names |= {use["blueprint"]} if "blueprint" in use else set()
        waiting += await session.scalars(select(Definition).where(Definition.key.in_(names)).order_by(Definition.key))
    return {"bundle": FORMAT, "definitions": list(found.values()), "requires": requires(canonicals)}


async def _entry(session: AsyncSession, row: Definition) -> tuple[dict[str, Any], dict[str, Any]]:
    told = {"kind": row.kind, "key": row.key, "title": row.title}
    number = row.active_version or row.latest_version
    version = await session.get(DefinitionVersion, (row.key, number)) if number else None
    if version is not None:
        return {
            **told, "version": number, "sha256": version.sha256, "media_type": version.media_type,
            "source": version.source,
        }, version.canonical  # fmt: skip
    loaded = load(row.draft)
    if loaded.canonical is None:
        raise definitions.invalid(f"The draft of {row.key!r} is not valid.", loaded.diagnostics)
    return {**told, "version": None, "media_type": row.draft_media_type, "source": row.draft}, loaded.canonical


async def take_in(
    work: Work,
    viewer: Viewer,
    bundle: Mapping[str, Any],
    bindings: Mapping[str, Mapping[str, str]],
    *,
    dry_run: bool,
    language: str = "en",
) -> dict[str, Any]:
    """Make or change the drafts of a bundle, what others need first; answers for each what it would be, what differs
    from the newest version here, and its diagnostics. Nothing is published. A dry run saves nothing.

    Raises InvalidError for what is no bundle, InvalidDefinitionError for an entry that cannot be a draft here.
    """
    entries = _read(bundle)
    _require_bindings(bindings)
    told = []
    coming = {entry["key"]: entry["kind"] for entry in entries}
    for entry in reversed(entries):
        source, media = _bound(entry, bindings)
        loaded = load(source)
        name = definitions.name_in(loaded, source) or entry["key"]
        existing = await work.session.get(Definition, name)
        if existing is not None and existing.kind != entry["kind"]:
            raise InvalidDefinitionError(f"{name!r} is a {existing.kind} here, not a {entry['kind']}.")
        before = await work.session.get(DefinitionVersion, (name, existing.latest_version)) if existing else None
        found = await versions.validate(work.session, viewer, source, language=language, coming=coming)
        if not dry_run:
            await _save(work, viewer, entry["kind"], name, source, media, exists=existing is not None)
        told.append(
            {
                "kind": entry["kind"], "key": name, "exists": existing is not None, "diagnostics": found,
                "changes": changes(before.canonical if before else {}, loaded.canonical or {}),
            }
        )  # fmt: skip
    return {"dry_run": dry_run, "definitions": told[::-1], "requires": bundle.get("requires", {})}


async def _save(
    work: Work, viewer: Viewer, kind: str, name: str, source: str, media: str, *, exists: bool
) -> None:  # fmt: skip
    if exists:
        await definitions.save_draft(work, viewer.user_id, kind, name, source, media)
    else:
        await definitions.create(work, viewer.user_id, kind, source, media)


def _read(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = bundle.get("definitions")
    if bundle.get("bundle") != FORMAT or not isinstance(entries, list) or not entries:
        raise InvalidError(f"This is no bundle of format {FORMAT}.", field="bundle")
    if len(entries) > MOST_DEFINITIONS:
        raise InvalidError(f"A bundle has at most {MOST_DEFINITIONS} definitions.", field="definitions")
    for entry in entries:
        texts = ("kind", "key", "source")
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in texts):
            raise InvalidError("Each definition of a bundle has kind, key and source.", field="definitions")
        if entry["kind"] not in ("process", "macro", "blueprint") or "\x00" in entry["source"]:
            raise InvalidError("kind is process, macro or blueprint; a source has no NUL characters.", field="kind")
        if not entry["source"].isascii() and any("\ud800" <= c <= "\udfff" for c in entry["source"]):
            raise InvalidError("A source has no halves of surrogate pairs.", field="source")
    return entries


def _require_bindings(bindings: Mapping[str, Any]) -> None:
    for kind, names in bindings.items():
        if kind not in BOUND.values() or not isinstance(names, Mapping):
            known = ", ".join(dict.fromkeys(BOUND.values()))
            raise InvalidError(f"Names are bound by kind: {known}.", field="bindings")
        if not all(isinstance(new, str) and 0 < len(new) <= 200 for new in names.values()):
            raise InvalidError("A name is bound to a name.", field="bindings")


def _bound(entry: Mapping[str, Any], bindings: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """The text as it came, or, with names of its exchanged, its canonical document."""
    source, media = entry["source"], entry.get("media_type")
    media = media if isinstance(media, str) and media in (definitions.YAML, JSON) else definitions.YAML
    canonical = load(source).canonical
    if not any(bindings.values()) or canonical is None:
        return source, media
    bound = bind(canonical, bindings)
    return (source, media) if bound == canonical else (json.dumps(bound, ensure_ascii=False, indent=2), JSON)
