"""`approve` and `run`: others decide, others work (PROCESS_LANGUAGE 9.10, 9.12)."""

from typing import Any

import pytest

from domain.walks.ports import lock_key
from tests.domain.walks.scenes import log, output, record_of, shown, walked


def ask(**more: Any) -> dict[str, Any]:
    question = {"by": {"roles": ["admin"], "teams": ["vip"]}, "message": "Send {{ dialog.number }}?", "timeout": "8h"}
    return {"id": "ask", "approve": {**question, **more}}


def test_an_approval_lets_pass():
    gone = walked(
        ask(), log("next"),
        mocks={"ask": {"approved": True, "by": "olha", "comment": "ok", "form": {"n": 1}}},
        outputs=output(
            ok="{{ steps.ask.approved }}", by="{{ steps.ask.result.by }}", n="{{ steps.ask.result.form.n }}"
        ),
    )  # fmt: skip
    assert shown(gone) == {"ok": True, "by": "olha", "n": 1}
    assert record_of(gone, "ask").inputs == {"message": "Send 1?", "timeout": "8h"}


@pytest.mark.parametrize(
    ("more", "mock", "error", "approved"),
    [
        ({}, {"approved": False, "comment": "no"}, "approval_rejected", None),
        ({"on_reject": "continue"}, {"approved": False}, None, False),
        ({}, {"timed_out": True}, "approval_rejected", None),
        ({"on_timeout": "approve"}, {"timed_out": True}, None, True),
        ({"on_timeout": "fail"}, {"timed_out": True}, "timeout", None),
        ({"on_timeout": "reject", "on_reject": "continue"}, {"timed_out": True}, None, False),
    ],
)
def test_rejections_and_timeouts(more: dict, mock: dict, error: str | None, approved: bool | None):
    gone = walked(ask(**more), mocks={"ask": mock}, outputs=output(ok="{{ steps.ask.approved }}"))
    assert gone.outcome.error_type == error
    assert shown(gone).get("ok") == approved
    assert gone.took.total_seconds() == (8 * 3600 if mock.get("timed_out") else 0)


def test_the_question_goes_to_the_host_rendered():
    from domain.walks.memory import Memory, stage_for
    from domain.walks.samples import START
    from domain.walks.schedulers import Clockwork
    from domain.walks.walk import walk_item
    from tests.domain.walks.scenes import brief_of

    asked: list[Any] = []

    class Watched(Memory):
        async def approve(self, asking: Any) -> Any:
            asked.append(asking)
            return await super().approve(asking)

    brief = brief_of([ask(count=2, allow_self=True, form={"n": {"label": "N", "type": "integer", "required": True}})])
    clock = Clockwork(START)
    clock.run(walk_item(brief, Watched(stage_for(brief, clock, {}))))
    (asking,) = asked
    assert (asking.key, asking.message, asking.seconds) == ("run-1:1:ask", "Send 1?", 28_800.0)
    assert asking.may_decide == {"roles": ["admin"], "teams": ["vip"], "users": []}
    assert (asking.count, asking.allow_self) == (2, True)
    assert asking.form == {"n": {"label": "N", "type": "integer", "required": True}}


def run(**more: Any) -> dict[str, Any]:
    return {"id": "sub", "run": {"process": "other", "inputs": {"n": "{{ dialog.number }}"}, **more}}


LOCKS = {lock_key("process", "other", "pinned"): 3, lock_key("process", "other", "latest"): 5}


@pytest.mark.parametrize(("version", "used"), [("pinned", 3), ("latest", 5), (2, 2)])
def test_the_version_was_settled_beforehand(version: Any, used: int):
    gone = walked(run(version=version), locks=LOCKS)
    assert record_of(gone, "sub").branch == {"run_id": "run-2", "version": used}
    assert record_of(gone, "sub").inputs == {"n": 1}


def test_a_version_nobody_settled_is_not_found():
    assert walked(run()).outcome.error_type == "not_found"


def test_a_childs_outputs_are_the_result():
    gone = walked(
        run(), locks=LOCKS, mocks={"sub": {"total": 7}},
        outputs=output(total="{{ steps.sub.result.total }}", status="{{ steps.sub.result.status }}"),
    )  # fmt: skip
    assert shown(gone) == {"total": 7, "status": "succeeded"}


@pytest.mark.parametrize(
    ("mock", "error"),
    [
        ({"error": "conflict"}, "conflict"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "rejected"}, "approval_rejected"),
        ({"status": "failed"}, "internal"),
        ({"status": "partially_failed"}, None),
    ],
)
def test_a_child_that_failed_fails_the_step(mock: dict, error: str | None):
    assert walked(run(), locks=LOCKS, mocks={"sub": mock}).outcome.error_type == error


def test_nobody_waits_for_a_detached_child():
    gone = walked(run(mode="detach"), locks=LOCKS, outputs=output(status="{{ steps.sub.result.status }}"))
    assert shown(gone) == {"status": "queued"}
