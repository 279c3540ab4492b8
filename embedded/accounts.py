"""Which user PostgreSQL runs as. It refuses root, so root becomes somebody else.

In this order: the owner of the existing data; uid 1000 of a user namespace in which that uid *is* root outside (files
stay root's); `nobody`, who is given the data. Where private folders lie in the way, the last gets the right to pass
through them. The words are those `launching.py` understands.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

from embedded import launching
from embedded.errors import StartError

SELF = "self"
NAMESPACE = "namespace"


def choose_account(folder: Path, program: Path) -> str:
    """For `folder`, which exists and will hold the data. Raises `StartError` if no user will do."""
    if os.geteuid() != 0:
        return SELF
    owner = folder.stat()
    if owner.st_uid != 0:
        return _tried(f"{owner.st_uid}:{owner.st_gid}", folder, program)
    if can_launch(NAMESPACE, program):
        return NAMESPACE
    nobody = pwd.getpwnam("nobody")
    account = _tried(f"{nobody.pw_uid}:{nobody.pw_gid}", folder, program)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return account


def can_launch(account: str, program: Path, *arguments: str) -> bool:
    """Whether that account may run the program (by default: print its version)."""
    launcher = [sys.executable, "-I", "-S", launching.__file__, str(os.getpid()), "9", account]
    command = [*launcher, str(program), *(arguments or ("--version",))]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def _tried(user: str, folder: Path, program: Path) -> str:
    for account in (user, f"{user}+reach"):
        if can_launch(account, program) and can_launch(account, Path("/bin/ls"), "-d", str(folder)):
            return account
    raise StartError(
        f"root cannot run PostgreSQL here: user {user} may not reach {folder} or {program.parent}; "
        "run as an ordinary user, or move both the checkout and SWITCHBOARD_DATA_DIR out of private folders"
    )
