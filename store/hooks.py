"""Deliveries of webhooks: which definition's secret address was called, and its run, once per delivery."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ArchivedError, NotActiveError, NotFoundError
from domain.triggers import Occasion
from store.ids import new_id
from store.json_values import storable
from store.secrets import SecretLostError, Vault
from store.secrets import get as get_secret
from store.tables import Trigger
from store.transactions import Work
from store.triggers import start, taken_by, triggers_of

_NOBODYS = sha256(b"the secret of no webhook").hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    """`body` any JSON value; `headers` in small letters, those worth telling only; `all_headers` are never kept."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    all_headers: Mapping[str, str] = field(default_factory=dict)


def digest_of(secret: str) -> str:
    """What triggers.secret_hash holds."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def find_hook(session: AsyncSession, vault: Vault, path: str, secret: str) -> Trigger:
    """The active webhook under this path and secret. Raises NotFoundError alike for whatever else was called; as much
    is compared for a path that nobody has.
    """
    given, found = digest_of(secret), None
    for trigger in await triggers_of(session, "webhook", [path]):
        if hmac.compare_digest(await _digest(session, vault, trigger), given) and found is None:
            found = trigger
    if found is None:
        hmac.compare_digest(_NOBODYS, given)
        raise NotFoundError("There is nothing here.")
    return found


async def _digest(session: AsyncSession, vault: Vault, trigger: Trigger) -> str:
    """A secret set anew counts from then on, whatever stood there at the activation."""
    try:
        return digest_of(await get_secret(session, vault, trigger.body["webhook"]["secret"]))
    except (NotFoundError, SecretLostError):
        return trigger.secret_hash or _NOBODYS


async def deliver(work: Work, vault: Vault, path: str, secret: str, delivery: Delivery) -> dict[str, Any]:
    """Start the run; answers {run_id, status, is_new}. status: started, repeated (seen before), ignored (its condition
    says no; run_id null).

    Raises NotFoundError (also when it was deactivated meanwhile), and what launches raise for inputs.
    """
    trigger = await find_hook(work.session, vault, path, secret)
    told = storable({"body": delivery.body, "headers": dict(delivery.headers)})
    occasion = Occasion("webhook", _key_of(trigger, delivery), told)
    try:
        started = await start(work, trigger, occasion)
    except (NotActiveError, ArchivedError):
        raise NotFoundError("There is nothing here.") from None
    if started is not None:
        return {"run_id": started["run_id"], "status": "started", "is_new": True}
    is_taken, run_id = await taken_by(work.session, trigger.definition_key, occasion)
    return {"run_id": _text(run_id), "status": "repeated" if is_taken else "ignored", "is_new": False}


def _key_of(trigger: Trigger, delivery: Delivery) -> str:
    """`dedupe` names a header or a field of the body; a delivery without it is taken for a new one."""
    name = trigger.body["webhook"].get("dedupe")
    value: Any = None
    if name is not None:
        value = delivery.all_headers.get(name.lower())
        if value is None and isinstance(delivery.body, Mapping):
            value = delivery.body.get(name)
    if value is None or isinstance(value, list | dict):
        return f"{trigger.position}:{new_id()}"
    return f"{trigger.position}:{sha256(str(value).encode('utf-8', 'surrogatepass')).hexdigest()}"


def _text(run_id: UUID | None) -> str | None:
    return str(run_id) if run_id else None
