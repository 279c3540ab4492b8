"""TCP ports: free, taken, or remembered."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from embedded.errors import StartError

REACHED_WITHIN = 5.0
"""Seconds."""


def require_free(host: str, port: int, setting: str) -> None:
    """Raises `StartError` naming the port and the setting that moves it."""
    try:
        _bind(host, port)
    except socket.gaierror as problem:
        raise StartError(f"host {host!r} is not an address of this machine: set SWITCHBOARD_HOST") from problem
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} on {host} is taken by another program: stop it or set {setting} to a free port"
            ) from problem
        if problem.errno == errno.EADDRNOTAVAIL:
            raise StartError(f"{host} is not an address of this machine: set SWITCHBOARD_HOST") from problem
        raise StartError(f"port {port} on {host} cannot be used ({problem.strerror}): set {setting}") from problem


def is_free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def require_reached(address: str, setting: str) -> None:
    """Raises `StartError` naming the setting when nobody answers TCP at `host:port` within `REACHED_WITHIN`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED_WITHIN).close()
    except (OSError, ValueError, OverflowError) as problem:
        reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())
        raise StartError(f"nobody answers at {address} ({reason}): check {setting}") from problem


def remembered(path: Path) -> int:
    """The port in the file while it is free, else a new free one, written there."""
    try:
        port = int(path.read_text())
    except (OSError, ValueError):
        port = 0
    if port == 0 or not is_free("127.0.0.1", port):
        port = _bind("127.0.0.1", 0)
        path.write_text(str(port))
    return port


def _bind(host: str, port: int) -> int:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no obstacle
        probe.bind(address)
        probe.listen(1)
        number: int = probe.getsockname()[1]
        return number
