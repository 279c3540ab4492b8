"""The catalogue of facts (DECISIONS 39)."""

import re

import pytest

from domain.events import Fact
from domain.transfers import Offer

#: those of DECISIONS 39 that belong to dialogs, transfers, messages and operators
PUBLISHED = [
    "dialog.opened", "dialog.queued", "dialog.assigned", "dialog.unassigned", "dialog.closed",
    "dialog.reopened", "dialog.topic_changed", "dialog.tagged", "dialog.untagged", "ticket.reassigned",
    "ticket.status_changed", "ticket.reopened", "ticket.closed", "message.received", "message.sent",
    "message.failed", "message.unknown", "note.added", "transfer.offered", "transfer.accepted",
    "transfer.declined", "transfer.cancelled", "transfer.rescinded", "transfer.expired", "operator.online",
    "operator.offline", "operator.absent",
]  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_fact_is_in_the_catalogue(name):
    assert Fact(name) == name


def test_no_two_facts_share_a_name():
    assert len(Fact.__members__) == len(set(Fact))


@pytest.mark.parametrize("fact", list(Fact))
def test_a_fact_is_named_by_its_column_and_what_happened(fact):
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", fact)


def test_every_way_an_offer_can_end_is_a_fact():
    assert {f"transfer.{state}" for state in Offer if state != Offer.PENDING} <= set(Fact)
