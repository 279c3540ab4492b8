"""Refusals: stable codes, one class each, and the way back from data."""

import inspect
import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors
from domain.errors import BY_CODE, DomainError, ForbiddenError, NotYoursError, from_code
from tests.domain.strategies import patient

CLASSES = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, DomainError)]
#: codes written down in ARCHITECTURE §8 and DECISIONS 2, 7, 14, 19, 21, 23, 25
PUBLISHED = {
    "forbidden", "not_found", "already_taken", "at_capacity", "offer_expired", "invalid", "unavailable", "key_reused",
    "command_expired", "another_dialog_open", "not_yours", "not_taken", "dialog_closed", "offer_pending",
    "operator_offline", "in_use",
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_no_two_refusals_share_a_code_and_none_is_left_out():
    assert len({c.code for c in CLASSES}) == len(CLASSES)
    assert {c.code: c for c in CLASSES} == BY_CODE


@pytest.mark.parametrize("refusal", CLASSES, ids=lambda c: c.__name__)
def test_every_refusal_says_its_own_code_and_title(refusal):
    assert {"code", "title"} <= set(vars(refusal)), "inherited, not its own"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)
    assert re.fullmatch(r"[A-Z].*[^.]", refusal.title)


@pytest.mark.parametrize("code", sorted(PUBLISHED))
def test_a_published_code_exists(code):
    assert BY_CODE[code].code == code


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_refusal_comes_back_from_data_as_itself(code):
    back = from_code(code, "The truth.", {"field": "limit", "most": 5})
    assert type(back) is BY_CODE[code]
    assert (back.code, back.detail, back.extra) == (code, "The truth.", {"field": "limit", "most": 5})


@patient
@given(
    code=st.sampled_from(sorted(BY_CODE)),
    detail=st.text(),
    extra=st.dictionaries(st.text(min_size=1), json_values, max_size=3),
)
def test_a_refusal_survives_travelling_as_data(code, detail, extra):
    sent = from_code(code, detail, extra)
    travelled = json.loads(json.dumps({"code": sent.code, "detail": sent.detail, "extra": sent.extra}))
    back = from_code(**travelled)
    assert type(back) is type(sent) is BY_CODE[code]
    assert (back.code, back.detail, back.extra, str(back)) == (code, detail, extra, detail)


@pytest.mark.parametrize("name", ["detail", "self", "code"])
def test_a_fact_may_have_any_name(name):
    assert from_code("invalid", "No.", {name: "value"}).extra == {name: "value"}


def test_no_facts_is_an_empty_set_of_facts():
    assert from_code("not_found", "Gone.").extra == from_code("not_found", "Gone.", None).extra == {}


def test_an_unknown_code_is_still_a_refusal_with_its_truth():
    back = from_code("from_the_future", "Not today.", {"until": 5})
    assert type(back) is DomainError
    assert (back.code, back.detail, back.extra) == ("refused", "Not today.", {"until": 5})


def test_not_yours_is_a_kind_of_forbidden():
    assert issubclass(NotYoursError, ForbiddenError)


@pytest.mark.parametrize("refusal", CLASSES, ids=lambda c: c.__name__)
def test_a_refusal_crosses_a_process_border(refusal):
    back = pickle.loads(pickle.dumps(refusal("No.", field="limit")))
    assert (type(back), back.detail, back.extra) == (refusal, "No.", {"field": "limit"})
