"""Contacts that turn out to be one person."""

from typing import Any
from uuid import UUID

from domain.actions.people import MergeContacts
from store.deeds.stages import Handler, Stage
from store.mergers import merge


async def merge_contacts(stage: Stage, p: MergeContacts) -> dict[str, Any]:
    merged = await merge(stage.work, stage.viewer, UUID(p.into), UUID(p.from_))
    stage.undo = merged
    return {"contact_id": merged["into"], "identities": len(merged["identities"]), "dialogs": len(merged["dialogs"])}


DEEDS: dict[str, Handler] = {"merge_contacts": merge_contacts}
