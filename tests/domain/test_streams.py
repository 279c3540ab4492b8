"""Who is told of an event (I8), without any stream."""

from dataclasses import replace

import pytest

from domain.permissions import GRANTS, Relation, Viewer
from domain.streams import Heard, changes_rights, may_hear
from tests.domain.values import NOON, uid

ME, OTHER = uid(1), uid(2)
FROM_SUPPORT = {"before": {"team": "support"}}
NEAR = Relation("support", None, None, frozenset(), frozenset())
FAR = replace(NEAR, team="sales")


def viewer(role: str, *teams: str) -> Viewer:
    return Viewer(ME, "Me", frozenset({role}), frozenset(GRANTS[role]), frozenset(teams))


def heard(kind: str, **more) -> Heard:
    given = {"dialog_id": uid(9) if "relation" in more else None, "team": None, "operator_id": None,
             "actor_kind": "user", "actor_id": OTHER, "data": {}, **more}  # fmt: skip
    return Heard(seq=1, kind=kind, at=NOON, **given)


@pytest.mark.parametrize(
    ("who", "event", "hears"),
    [
        (viewer("operator", "support"), heard("dialog.opened", relation=NEAR), True),
        (viewer("operator", "support"), heard("dialog.opened", relation=FAR), False),
        (viewer("operator", "support"), heard("dialog.opened", relation=None), False),
        (viewer("operator"), heard("dialog.unassigned", relation=FAR, operator_id=ME), True),
        (viewer("integrator", "support"), heard("dialog.unassigned", relation=NEAR, operator_id=ME), False),
        (viewer("ops"), heard("dialog.opened", relation=FAR), True),
        (
            viewer("operator", "support"),
            heard("dialog.team_changed", relation=FAR, data=FROM_SUPPORT),
            True,
        ),
        (
            viewer("operator", "support"),
            heard("dialog.tagged", relation=FAR, data=FROM_SUPPORT),
            False,
        ),
        (viewer("operator", "support"), heard("operator.online", operator_teams=frozenset({"support"})), True),
        (viewer("operator", "support"), heard("operator.online", operator_teams=frozenset({"sales"})), False),
        (viewer("operator", "support"), heard("operator.online", operator_id=ME), True),
        (viewer("integrator", "support"), heard("operator.online", operator_teams=frozenset({"support"})), False),
        (viewer("operator", "support"), heard("settings.changed"), False),
        (viewer("integrator"), heard("settings.changed", actor_id=ME), True),
        (viewer("supervisor", "support"), heard("settings.changed"), True),
        (viewer("supervisor", "support"), heard("contact.banned"), True),
        (viewer("supervisor", "support"), heard("user.signed_in"), False),
        (viewer("supervisor"), heard("user.signed_in"), True),
        (viewer("supervisor", "support"), heard("distribution.anomaly", team="support"), True),
        (viewer("supervisor", "support"), heard("distribution.anomaly", team="sales"), False),
        (viewer("operator", "support"), heard("distribution.anomaly", team="support"), False),
    ],
)
def test_who_hears(who, event, hears):
    assert may_hear(who, event) is hears


def test_whose_rights_are_read_again():
    me = viewer("operator")
    assert changes_rights(me, heard("settings.changed"))
    assert changes_rights(me, heard("user.signed_out", actor_id=ME))
    assert not changes_rights(me, heard("user.signed_in"))
    assert not changes_rights(me, heard("dialog.opened", relation=NEAR))
