"""Who may start a definition: the launch list of its author, the right to launch, and what its actions may do."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from domain.actions.capabilities import covers
from domain.errors import ForbiddenError
from domain.permissions import Permission, Viewer

SYSTEM = "system"


def is_among(viewer: Viewer, audience: Mapping[str, Any] | None, email: str | None = None) -> bool:
    """Whether a person is one of `{roles, teams, users}`; an audience that names nobody means everybody."""
    audience = audience or {}
    roles, teams, users = (audience.get(name) or () for name in ("roles", "teams", "users"))
    if not roles and not teams and not users:
        return True
    if viewer.roles & set(roles) or viewer.teams & set(teams):
        return True
    named = {str(user).lower() for user in users}
    return str(viewer.user_id) in named or (email is not None and email.lower() in named)


def names_system(permissions: Mapping[str, Any] | None) -> bool:
    """Whether a definition may be started without a person."""
    return SYSTEM in (((permissions or {}).get("launch") or {}).get("roles") or ())


def lacking(permissions: Iterable[str], capabilities: Collection[str]) -> list[str]:
    """The capabilities these rights do not cover."""
    held = frozenset(permissions)
    return sorted(c for c in capabilities if not covers(held, c))


def require_may_launch(
    viewer: Viewer, permissions: Mapping[str, Any] | None, capabilities: Collection[str], email: str | None
) -> None:
    """Raises ForbiddenError: no right to launch, not on the definition's list, or without a right that its actions
    need when they act as their launcher.
    """
    viewer.require(Permission.RUNS_LAUNCH)
    permissions = permissions or {}
    if not is_among(viewer, permissions.get("launch"), email):
        raise ForbiddenError("The definition does not list you among those who may start it.")
    if permissions.get("run_as") == SYSTEM:
        return
    if missing := lacking(viewer.permissions, capabilities):
        raise ForbiddenError(f"It does what you may not: {', '.join(missing)}.", capabilities=missing)


def may_launch(
    viewer: Viewer, permissions: Mapping[str, Any] | None, capabilities: Collection[str], email: str | None
) -> bool:
    try:
        require_may_launch(viewer, permissions, capabilities, email)
    except ForbiddenError:
        return False
    return True
