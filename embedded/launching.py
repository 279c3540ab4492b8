"""Becomes another program, as the right user, bound to the life of its parent.

Run as a script with nothing but the standard library: `launching.py PARENT SIGNAL ACCOUNT PROGRAM [ARGUMENT…]`.
A program of its own instead of `preexec_fn`, because code between fork and exec may deadlock in a process that has
threads. ACCOUNT is `self`, `namespace` (uid 1000 inside a user namespace, root outside), `UID:GID`, or
`UID:GID+reach`: that user with root's right to pass through private folders (CAP_DAC_OVERRIDE) and no other.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION = 0x20080522
CAP_DAC_OVERRIDE = 1
CLONE_NEWUSER = 0x10000000
UID_INSIDE = 1000
CANNOT_LAUNCH = 126


def main(arguments: list[str]) -> None:
    parent, death_signal, account, program = int(arguments[0]), int(arguments[1]), arguments[2], arguments[3]
    try:
        become(account)
        follow_to_death(parent, death_signal)
        os.execv(program, arguments[3:])
    except OSError as problem:
        print(f"cannot run {program} as {account}: {problem.strerror}", file=sys.stderr)
        sys.exit(CANNOT_LAUNCH)


def become(account: str) -> None:
    """Leaves root behind, because PostgreSQL refuses it."""
    if account == "namespace":
        _enter_user_namespace()
    elif account != "self":
        numbers, _, reach = account.partition("+")
        uid, gid = (int(part) for part in numbers.split(":"))
        if reach:
            _call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        if reach:
            _keep_reach()


def follow_to_death(parent: int, death_signal: int) -> None:
    """Linux: the kernel sends the signal when the parent dies, even by kill -9.

    After `become`, for a change of credentials forgets the wish; and the parent may have died before it was said.
    """
    if not sys.platform.startswith("linux"):
        return
    _call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _enter_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{UID_INSIDE} {uid} 1"),
        ("gid_map", f"{UID_INSIDE} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _keep_reach() -> None:
    """One capability, kept over the change of user (permitted) and over exec (inheritable, ambient)."""
    right = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    rights = (ctypes.c_uint32 * 6)(right, right, right, 0, 0, 0)  # effective, permitted, inheritable; then bits 32 up
    _call("capset", header, rights)
    _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _call(name: str, *arguments: object) -> None:
    """A function of the C library that answers -1 for failure."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
