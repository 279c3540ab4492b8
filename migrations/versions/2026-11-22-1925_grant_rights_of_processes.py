"""grant the built-in roles of installations that stand already their rights over processes and desks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: written out: what the roles start with may change later, what this migration granted may not
READERS = ("definitions.read", "desk.read")
WORKERS = (*READERS, "runs.launch", "runs.read", "contact.edit")
GRANTED = {
    "operator": WORKERS,
    "light_agent": (*READERS, "runs.launch", "runs.read"),
    "supervisor": (*WORKERS, "runs.control", "desk.manage"),
    "integrator": (*READERS, "definitions.manage", "connections.manage", "runs.read"),
    "ops": (*READERS, "runs.read"),
}
_GRANT = sa.text("""
INSERT INTO role_permissions (role_key, permission)
SELECT key, :permission FROM roles WHERE key = :role AND is_built_in ON CONFLICT DO NOTHING
""")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for role, permissions in GRANTED.items():
        for permission in permissions:
            op.get_bind().execute(_GRANT, {"role": role, "permission": permission})


def downgrade() -> None:
    raise RuntimeError("Migrations go forward only: restore a backup instead.")
