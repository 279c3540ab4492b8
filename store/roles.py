"""Roles: named sets of rights, kept as rows, so a granted right counts from the next request on (P5)."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.permissions import GRANTS
from store.tables import Role, RolePermission

BUILT_IN = {
    "operator": "Operator",
    "light_agent": "Light agent",
    "supervisor": "Supervisor",
    "admin": "Administrator",
    "integrator": "Integrator",
    "ops": "Operations",
}


def put_built_in_roles(connection: Connection) -> None:
    """Make the built-in roles that are missing, with the rights they start with; the administrator's are complete.

    Roles that exist keep what people made of them.
    """
    there = set(connection.scalars(select(Role.key)))
    for key, name in BUILT_IN.items():
        if key not in there:
            row = upsert(Role).values(key=key, name=name, is_built_in=True)
            connection.execute(row.on_conflict_do_nothing())
        if key not in there or key == "admin":
            rows = [{"role_key": key, "permission": p.value} for p in sorted(GRANTS[key])]
            connection.execute(upsert(RolePermission).on_conflict_do_nothing(), rows)
