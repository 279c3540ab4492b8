"""Names of workflows: made and read in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import workflow_ids
from tests.domain.strategies import patient
from tests.domain.values import uid

MAKERS = {
    "dialog": workflow_ids.of_dialog,
    "transfer": workflow_ids.of_transfer,
    "presence": workflow_ids.of_presence,
    "sla": workflow_ids.of_clocks,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_made_can_be_read(kind):
    assert MAKERS[kind](uid(7)) == f"{kind}:00000000-0000-0000-0000-000000000007"
    assert workflow_ids.parse(MAKERS[kind](uid(7))) == (kind, str(uid(7)))


@patient
@given(st.text())
def test_a_team_may_have_any_key(key):
    assert workflow_ids.parse(workflow_ids.of_team(key)) == ("team", key)


def test_a_name_without_a_kind_is_all_kind():
    assert workflow_ids.parse("cron") == ("cron", "")
