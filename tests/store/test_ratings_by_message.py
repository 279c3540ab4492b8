"""A pending score is given by a message that is exactly one (DECISIONS 30)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.commands import Close, Reopen
from store.ids import new_id
from store.ratings import read_score
from tests.store.stage import Stage


async def asked(stage: Stage, dialog: UUID) -> UUID:
    """The client has been asked for a score from 1 to 5."""
    request = new_id()
    await stage.sql(
        "INSERT INTO rating_requests (id, dialog_id, cycle, question, token_hash, expires_at)"
        " VALUES (:r, :d, 1, 'How was it?', CAST(:r AS text), now() + interval '72 h')",
        r=request, d=dialog,
    )  # fmt: skip
    return request


async def closed(stage: Stage) -> UUID:
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.do("olha", dialog, Close())
    return dialog


async def state_of(stage: Stage, request: UUID):
    return await stage.row("SELECT * FROM rating_requests WHERE id = :r", r=request)


async def test_a_score_is_the_rating_and_reopens_nothing(stage: Stage):
    dialog = await closed(stage)
    request = await asked(stage, dialog)
    receipt = await stage.write("c", " 5 ")
    assert (receipt.result, receipt.dialog_id) == ("accepted", dialog)
    row, kept = await stage.dialog(dialog), await state_of(stage, request)
    assert (row.status, row.rating, row.awaiting_reply_since) == ("closed", 5, None)
    assert (kept.state, kept.score) == ("received", 5)
    assert (await stage.kinds(dialog))[-1] == "csat.received"


async def test_the_same_provider_message_again_rates_once(stage: Stage):
    dialog = await closed(stage)
    await asked(stage, dialog)
    await stage.write("c", "4", external_id=stage.key("same"))
    assert (await stage.write("c", "4", external_id=stage.key("same"))).result == "repeated"
    assert (await stage.kinds(dialog)).count("csat.received") == 1


@pytest.mark.parametrize("said", ["6", "0", "5!", "five", "05", "5 5", "³"])
async def test_anything_else_reopens_and_ends_the_request(stage: Stage, said: str):
    dialog = await closed(stage)
    request = await asked(stage, dialog)
    await stage.write("c", said)
    assert (await stage.dialog(dialog)).status == "open"
    assert (await state_of(stage, request)).state == "superseded"


async def test_a_second_score_is_a_message_like_any_other(stage: Stage):
    dialog = await closed(stage)
    await asked(stage, dialog)
    await stage.write("c", "5")
    await stage.write("c", "1")
    row = await stage.dialog(dialog)
    assert (row.status, row.rating) == ("open", 5)


async def test_reopening_by_hand_supersedes(stage: Stage):
    dialog = await closed(stage)
    request = await asked(stage, dialog)
    await stage.do("olha", dialog, Reopen())
    assert (await state_of(stage, request)).state == "superseded"


async def test_a_request_whose_time_is_over_takes_no_score(stage: Stage):
    dialog = await closed(stage)
    request = await asked(stage, dialog)
    await stage.sql("UPDATE rating_requests SET expires_at = now() - interval '1 s' WHERE id = :r", r=request)
    await stage.write("c", "5")
    assert (await stage.dialog(dialog)).rating is None


@pytest.mark.parametrize(
    ("scale", "said", "score"),
    [
        ("1-5", "1", 1),
        ("0-10", "10", 10),
        ("0-10", "0", 0),
        ("1-5", "10", None),
        ("1-5", "-1", None),
        ("1-5", "", None),
    ],
)
def test_scores_of_a_scale(scale: str, said: str, score: int | None):
    assert read_score(scale, said) == score
