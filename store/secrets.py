"""Credentials by name, sealed with a key of the installation's own; opened only for the call that needs them."""

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InUseError, InvalidError, NotFoundError
from store.settings import record_change
from store.tables import Secret
from store.transactions import Work

LONGEST = 8192

_VERSION = b"\x01"
_ID, _NONCE = 4, 12
_PURPOSE = b"switchboard secrets"
_USED_BY = text("SELECT key FROM connections WHERE auth ->> 'secret' = :name ORDER BY key LIMIT 50")


class SecretLostError(Exception):
    """The secret was sealed with another key than this installation has; it must be set again."""


class Vault:
    """Seals with AES-256-GCM under a key derived from the installation's secret key.

    A sealed value is bound to its name, and carries the id of its key: values sealed under one of `former` keys still
    open. Nothing here is ever logged or told.
    """

    def __init__(self, secret_key: bytes, former: Sequence[bytes] = ()) -> None:
        self._keys = [_derived(key) for key in (secret_key, *former)]

    def seal(self, name: str, value: str) -> bytes:
        key, nonce = self._keys[0], os.urandom(_NONCE)
        return _VERSION + _id_of(key) + nonce + AESGCM(key).encrypt(nonce, value.encode(), name.encode())

    def open(self, name: str, sealed: bytes) -> str:
        """Raises SecretLostError."""
        head = len(_VERSION) + _ID
        key = next((k for k in self._keys if sealed[:head] == _VERSION + _id_of(k)), None)
        if key is None:
            raise SecretLostError
        try:
            return AESGCM(key).decrypt(sealed[head : head + _NONCE], sealed[head + _NONCE :], name.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretLostError from None

    def __repr__(self) -> str:
        return "Vault(…)"


def _derived(secret_key: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key)


def _id_of(key: bytes) -> bytes:
    return sha256(b"id" + key).digest()[:_ID]


async def all_names(session: AsyncSession) -> list[dict[str, Any]]:
    """Names and when each was set; values are shown to nobody."""
    rows = await session.execute(select(Secret.name, Secret.updated_at, Secret.updated_by).order_by(Secret.name))
    return [{"name": r.name, "updated_at": r.updated_at.isoformat(), "updated_by": r.updated_by} for r in rows]


async def put(work: Work, vault: Vault, name: str, value: str, *, by: UUID | None) -> dict[str, Any]:
    """Set or replace one. The audit tells that it was set, never to what. Raises InvalidError."""
    if not value or len(value) > LONGEST:
        raise InvalidError(f"A secret has 1 to {LONGEST} characters.", field="value")
    try:
        sealed = vault.seal(name, value)
    except UnicodeEncodeError:
        raise InvalidError("A secret is a text that can be encoded.", field="value") from None
    await work.read_clock()
    was = await work.session.scalar(select(Secret.updated_at).where(Secret.name == name).with_for_update())
    row = upsert(Secret).values(name=name, sealed=sealed, updated_at=work.now, updated_by=by)
    changed = {"sealed": sealed, "updated_at": work.now, "updated_by": by}
    await work.session.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))
    at = work.now.isoformat()
    record_change(work, "secret", name, {"set_at": was.isoformat()} if was else None, {"set_at": at})
    return {"name": name, "updated_at": at, "updated_by": by}


async def remove(work: Work, name: str) -> dict[str, Any]:
    """Raises NotFoundError, InUseError while a connection is called with it."""
    if used_by := list(await work.session.scalars(_USED_BY, {"name": name})):
        raise InUseError("Connections are called with it.", connections=used_by)
    gone = await work.session.scalar(delete(Secret).where(Secret.name == name).returning(Secret.name))
    if gone is None:
        raise NotFoundError(f"There is no secret {name!r}.")
    await work.read_clock()
    record_change(work, "secret", name, {"name": name}, None)
    return {}


async def get(session: AsyncSession, vault: Vault, name: str) -> str:
    """For the call that needs it, at that moment. Raises NotFoundError, SecretLostError."""
    sealed = await session.scalar(select(Secret.sealed).where(Secret.name == name))
    if sealed is None:
        raise NotFoundError(f"There is no secret {name!r}.")
    return vault.open(name, sealed)
