"""Who may read a dialog and who may act on it: the whole truth tables (I8, P7, P136, DECISIONS 20 and 21)."""

from itertools import product

import pytest

from domain.errors import NotTakenError, NotYoursError
from domain.permissions import GRANTS, Permission, Relation, Viewer, leads, may_read, require_acting
from tests.domain.values import IRYNA, OLHA, TARAS

READ, READ_ALL, LEAD = Permission.DIALOG_READ, Permission.DIALOG_READ_ALL, Permission.DIALOG_LEAD
TEAMS = {
    "in its team": frozenset({"support", "vip"}),
    "in another team": frozenset({"sales"}),
    "in no team": frozenset(),
}
RIGHTS = [frozenset(r for r, has in zip((READ, READ_ALL, LEAD), flags, strict=True) if has)
          for flags in product((True, False), repeat=3)]  # fmt: skip
TIES = ("operator_id", "author_id", "offered_to", "participants", "watchers")


def olha(teams: str = "in its team", rights: frozenset[Permission] = GRANTS["operator"]) -> Viewer:
    return Viewer(OLHA, "Olha", frozenset(), rights, TEAMS[teams])


def dialog(*ties: str, team: str | None = "support") -> Relation:
    """A dialog of Taras and Iryna to which Olha has these ties."""
    return Relation(
        team=team,
        operator_id=OLHA if "operator_id" in ties else TARAS,
        author_id=OLHA if "author_id" in ties else None,
        offered_to=OLHA if "offered_to" in ties else None,
        participants=frozenset({OLHA, IRYNA} if "participants" in ties else {IRYNA}),
        watchers=frozenset({OLHA} if "watchers" in ties else ()),
    )


def acting(viewer: Viewer, relation: Relation, *, is_waiting: bool = False) -> str:
    try:
        require_acting(viewer, relation, is_waiting=is_waiting)
    except NotTakenError:
        return "not_taken"
    except NotYoursError:
        return "not_yours"
    return "acts"


def called(rights: frozenset[Permission]) -> str:
    return "+".join(sorted(r.value for r in rights)) or "no right"


@pytest.mark.parametrize("teams", TEAMS)
@pytest.mark.parametrize("rights", RIGHTS, ids=called)
@pytest.mark.parametrize("team", ["support", None])
def test_the_whole_table_of_reading(teams, rights, team):
    for held in product((True, False), repeat=len(TIES)):
        ties = [tie for tie, has in zip(TIES, held, strict=True) if has]
        reasons = {
            "has a tie": bool(ties),
            "is of the team": team == "support" and teams == "in its team",
            "sees everything": READ_ALL in rights,
            "leads everybody": LEAD in rights and teams == "in no team",
        }
        expected = READ in rights and any(reasons.values())
        assert may_read(olha(teams, rights), dialog(*ties, team=team)) == expected, (ties, reasons)


@pytest.mark.parametrize("teams", TEAMS)
@pytest.mark.parametrize("rights", RIGHTS, ids=called)
@pytest.mark.parametrize("team", ["support", None])
def test_the_whole_table_of_acting(teams, rights, team):
    is_its_team = team == "support" and teams == "in its team"
    is_leader = LEAD in rights and (is_its_team or teams == "in no team" or READ_ALL in rights)
    assert leads(olha(teams, rights), dialog(team=team)) == is_leader
    for held in product((True, False), repeat=len(TIES)):
        ties = [tie for tie, has in zip(TIES, held, strict=True) if has]
        for is_waiting in (True, False):
            if is_leader or "operator_id" in ties or "participants" in ties:
                expected = "acts"
            elif is_waiting and is_its_team:
                expected = "not_taken"
            else:
                expected = "not_yours"
            told = acting(olha(teams, rights), dialog(*ties, team=team), is_waiting=is_waiting)
            assert told == expected, (ties, is_waiting)


@pytest.mark.parametrize("tie", TIES)
def test_one_tie_to_a_dialog_of_another_team_is_enough_to_read_it(tie):
    assert may_read(olha("in another team"), dialog(tie))
    assert not may_read(olha("in another team"), dialog())


@pytest.mark.parametrize("tie", ["author_id", "offered_to", "watchers"])
def test_being_author_watcher_or_asked_to_take_it_is_not_enough_to_act(tie):
    assert acting(olha("in another team"), dialog(tie)) == "not_yours"
    assert acting(olha("in its team"), dialog(tie)) == "not_yours"


def test_an_operator_reads_the_dialogs_of_a_colleague_but_does_not_act_on_them():
    assert may_read(olha(), dialog())
    assert acting(olha(), dialog()) == "not_yours"


def test_what_waits_in_ones_team_must_be_taken_first_and_elsewhere_is_not_ones_own():
    nobodys = Relation("support", None, None, frozenset(), frozenset())
    assert acting(olha(), nobodys, is_waiting=True) == "not_taken"
    assert acting(olha("in another team"), nobodys, is_waiting=True) == "not_yours"


def test_operators_outside_the_team_do_not_see_what_was_handed_to_it():
    nobodys = Relation("support", None, None, frozenset(), frozenset())
    assert not may_read(olha("in another team"), nobodys)
    assert not may_read(olha("in no team"), nobodys)


def test_a_light_agent_reads_what_an_operator_of_the_same_team_reads():
    for teams, ties in product(TEAMS, [(), *[(t,) for t in TIES]]):
        light = olha(teams, GRANTS["light_agent"])
        assert may_read(light, dialog(*ties)) == may_read(olha(teams), dialog(*ties))


def test_a_supervisor_leads_the_own_teams_and_one_without_teams_leads_all():
    supervisor = GRANTS["supervisor"]
    assert acting(olha("in its team", supervisor), dialog()) == "acts"
    assert acting(olha("in another team", supervisor), dialog()) == "not_yours"
    assert not may_read(olha("in another team", supervisor), dialog())
    assert acting(olha("in no team", supervisor), dialog()) == "acts"
    assert may_read(olha("in no team", supervisor), dialog())


def test_ops_see_every_dialog_and_act_on_none():
    for teams in TEAMS:
        assert may_read(olha(teams, GRANTS["ops"]), dialog())
        assert acting(olha(teams, GRANTS["ops"]), dialog()) == "not_yours"


def test_an_integrator_sees_no_dialog_not_even_one_of_the_own_team():
    for teams, tie in product(TEAMS, TIES):
        assert not may_read(olha(teams, GRANTS["integrator"]), dialog(tie))


def test_an_admin_reads_and_acts_everywhere_whatever_the_own_teams():
    for teams in TEAMS:
        assert may_read(olha(teams, GRANTS["admin"]), dialog(team=None))
        assert acting(olha(teams, GRANTS["admin"]), dialog(team=None)) == "acts"
