"""Carrying out one local action on a stage, whole or not at all; and taking one back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Effect, Manifest
from domain.errors import DomainError
from domain.walks.ports import Deed, Done, StepError
from store.deeds import clocks, contacts, handling, merging, particulars, people, places, readings, tellings, undoing
from store.deeds.stages import Handler, Stage, TeamsNeededError, step_error
from store.dialogs import lock_scene, teams_concerned
from store.transactions import GroundMovedError

DEEDS: Mapping[str, Handler] = {
    **places.DEEDS, **handling.DEEDS, **particulars.DEEDS, **tellings.DEEDS, **people.DEEDS,
    **contacts.DEEDS, **readings.DEEDS, **clocks.DEEDS, **merging.DEEDS,
}  # fmt: skip
#: refused, if at all, before they write: they need no savepoint
_REFUSED_FIRST = frozenset({"reopen", "distribute", "add_note", "add_tag", "remove_tag", "set_priority", "set_field",
                            "notify", "emit"})  # fmt: skip


class EffectRow(Protocol):
    """What the ledger keeps of an effect."""

    @property
    def action(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def undo(self) -> dict[str, Any] | None: ...


async def do(stage: Stage, deed: Deed) -> Done:
    """One local action. A failed one leaves nothing behind, while what was done before it on the stage stays.

    `stage.undo` afterwards says how to take it back. Raises StepError; TeamsNeededError and GroundMovedError: start
    the transaction again.
    """
    manifest, handler = catalogue().get(deed.action), DEEDS.get(deed.action)
    if manifest is None or handler is None:
        raise StepError("invalid", f"{deed.action} is not an action of this kind.")
    params = read_params(manifest, deed.params)
    stage.require_capability(manifest.capability)
    stage.undo, stage.key, stage.read = None, deed.key, None
    if manifest.effect == Effect.READ:
        result = await _refused_as_a_step(handler, stage, params)
        return Done(result, snapshot=stage.read)
    if getattr(params, "if_unchanged", False):
        await _require_unchanged(stage, deed.revision)
    async with _naming_teams(stage):
        result = await _whole(handler, stage, params, deed.action)
    is_unchanged = result.get("changed") is False
    is_seen = stage.shows and manifest.needs in ("dialog", "either") and not is_unchanged
    return Done(result, snapshot=await stage.see() if is_seen else None)


async def undo(stage: Stage, effect: EffectRow) -> str:
    """Take an effect back where nothing has touched it since, on a stage opened as for the action itself.

    Answers undone, changed_since, cannot_be_undone or nothing_to_undo.
    """
    manifest, take_back = catalogue().get(effect.action), undoing.UNDOS.get(effect.action)
    if effect.status != "done" or manifest is None or manifest.effect == Effect.READ:
        return "nothing_to_undo"
    if take_back is None:
        return "cannot_be_undone"
    if effect.undo is None:
        return "nothing_to_undo"
    session = stage.work.session
    try:
        async with _naming_teams(stage), stage.work.savepoint():
            answer = await take_back(stage, effect.undo)
            await session.flush()
            return answer
    except (DomainError, StepError):
        await _recover(stage)
        return "cannot_be_undone"


def read_params(manifest: Manifest, given: Mapping[str, Any]) -> BaseModel:
    """Raises StepError(invalid) naming the first parameter at fault."""
    try:
        return manifest.params.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or manifest.name
        raise StepError("invalid", f"{where}: {first['msg']}", details={"parameter": where}) from error


@asynccontextmanager
async def _naming_teams(stage: Stage) -> AsyncIterator[None]:
    """An action before this one may have brought in people whose teams nobody thought of when the locks were taken:
    say which, so that the next try has them.
    """
    dialog_id = stage.dialog_id
    try:
        yield
    except TeamsNeededError:
        raise
    except GroundMovedError as error:
        if dialog_id is None or isinstance(error.__cause__, DBAPIError):  # the transaction answers no more questions
            raise
        wanted = await teams_concerned(stage.work, dialog_id)
        if wanted <= stage.work.teams:
            raise
        raise TeamsNeededError(wanted | stage.work.teams) from error


async def _whole(handler: Handler, stage: Stage, params: BaseModel, action: str) -> dict[str, Any]:
    session = stage.work.session
    if action in _REFUSED_FIRST:
        result = await _refused_as_a_step(handler, stage, params)
        await session.flush()
        return result
    try:
        async with stage.work.savepoint():
            result = await _refused_as_a_step(handler, stage, params)
            await session.flush()
            return result
    except StepError:
        await _recover(stage)
        raise


async def _refused_as_a_step(handler: Handler, stage: Stage, params: BaseModel) -> dict[str, Any]:
    try:
        return await handler(stage, params)
    except DomainError as error:
        raise step_error(error) from error


async def _recover(stage: Stage) -> None:
    """After a rollback to a savepoint nothing in memory can be trusted: read it anew, under locks still held."""
    stage.undo = None
    if stage.scene is not None:
        await stage.work.session.refresh(stage.scene.dialog)
        stage.scene = await lock_scene(stage.work, stage.scene.dialog.id)


async def _require_unchanged(stage: Stage, revision: int | None) -> None:
    """Raises StepError(conflict) when the dialog is no longer as the definition last saw it."""
    if stage.scene is None or revision is None:
        return
    await stage.work.session.flush()
    await stage.work.session.refresh(stage.scene.dialog, ["revision"])
    if stage.scene.dialog.revision != revision:
        raise StepError("conflict", "The dialog has changed since this step looked at it.")
