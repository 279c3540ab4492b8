"""The demo's sign-ins: given by settings, else made once and kept in the data directory."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import StartError
from settings import Settings

DEMO_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class SignIns:
    """`password` opens every demo user; `token` is the integrator's bearer token."""

    password: str
    token: str


def sign_ins(settings: Settings) -> SignIns:
    """What the settings say wins over what was kept. Raises `StartError`.

    They count when the demo is first made: given later, they do not replace those the database has by then.
    """
    path = settings.data_dir / DEMO_FILE
    try:
        kept = _kept(path)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StartError(
            f"{path} cannot be read ({problem}): mend it or remove it (a demo already made keeps its sign-ins)"
        ) from problem
    password, token = settings.demo_password, settings.demo_token
    return SignIns(
        password.get_secret_value() if password else kept.password,
        token.get_secret_value() if token else kept.token,
    )


def _kept(path: Path) -> SignIns:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {"password": secrets.token_urlsafe(9), "token": secrets.token_urlsafe(32)}
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        draft.replace(path)
    found = json.loads(path.read_text())
    return SignIns(str(found["password"]), str(found["token"]))
