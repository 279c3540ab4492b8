"""What each kind of step does, one function a kind."""

from collections.abc import Mapping

from domain.walks.courses import Doing
from domain.walks.kinds.blocks import do_block, do_switch, do_try
from domain.walks.kinds.calls import do_call, do_emit
from domain.walks.kinds.endings import do_raise, do_stop
from domain.walks.kinds.errands import do_run
from domain.walks.kinds.forks import do_fork
from domain.walks.kinds.loops import do_for
from domain.walks.kinds.pauses import do_listen, do_wait
from domain.walks.kinds.questions import do_approve
from domain.walks.kinds.variables import do_set

DOINGS: Mapping[str, Doing] = {
    "call": do_call, "set": do_set, "do": do_block, "switch": do_switch, "for": do_for, "fork": do_fork,
    "try": do_try, "wait": do_wait, "listen": do_listen, "approve": do_approve, "run": do_run, "raise": do_raise,
    "stop": do_stop, "emit": do_emit,
}  # fmt: skip
