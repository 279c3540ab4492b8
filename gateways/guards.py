"""Where a connection may go: names resolved by us, once, and only checked addresses connected to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkStream

from domain.addresses import may_connect

#: (host, port) → addresses
Resolve = Callable[[str, int], Awaitable[list[str]]]


class RefusedAddressError(Exception):
    """The connection's host leads where this connection may not go."""


async def resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks every address, connects to what was checked: nothing is resolved a second time."""

    def __init__(self, resolve: Resolve, *, internal: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolve = resolve
        self._internal = internal

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from None
        if not addresses or not all(may_connect(a, internal=self._internal) for a in addresses):
            raise RefusedAddressError
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> AsyncNetworkStream:
        raise RefusedAddressError

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
