"""Passwords: argon2id, computed in threads of their own so that the event loop never waits for one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: each hashing needs 64 MiB, so only a few run at once; the rest queue
_THREADS = ThreadPoolExecutor(max_workers=3, thread_name_prefix="argon2")
_HASHER = PasswordHasher()


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def is_password(password: str, stored: str | None) -> bool:
    """Whether the password fits. Without a stored hash it takes as long and answers False."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, password, stored)


def _verify(password: str, stored: str | None) -> bool:
    try:
        return _HASHER.verify(stored or _nobodys_hash(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody has this password")
