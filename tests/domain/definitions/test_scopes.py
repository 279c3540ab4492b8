"""What each place may read: nothing here may be refused, and what is refused is refused for its reason."""

import pytest

from domain.actions.catalogue import catalogue
from domain.definitions.checking import check
from domain.definitions.diagnostics import readable_line
from domain.definitions.loading import load
from tests.domain.definitions.corpus import HEAD, MACRO, WORLD

READ = "  - if: steps.{}.status == 'succeeded'\n    call: reopen\n"


def said(text: str, head: str = HEAD) -> list[str]:
    return [readable_line(d) for d in check(load(head + text), catalogue()) if d.code != "W609"]


FINE = {
    "a step reads one before it": "do:\n  - { id: a, call: close }\n" + READ.format("a"),
    "a loop's body reads its later steps: an earlier round ran them": (
        "do:\n  - for: { in: [1, 2], each: one, at: n }\n    while: n < 2\n    do:\n"
        "      - { if: steps.b.status == 'failed', call: close }\n      - { id: b, call: reopen }\n"
    ),
    "a loop names its round": (
        "do:\n  - for: { in: '{{ dialog.tags }}', each: tag, at: n }\n    do:\n"
        "      - { call: log, with: { text: 'No {{ n }}: {{ tag }} {{ tag.anything }}' } }\n"
    ),
    "behind a fork its branches' steps are known": (
        "do:\n  - fork:\n      branches:\n        - { id: l, do: [{ id: a, call: close }] }\n"
        "        - { id: r, do: [{ id: b, call: reopen }] }\n" + READ.format("a") + READ.format("b")
    ),
    "behind a switch its cases' steps may have run": (
        "do:\n  - switch:\n      - { when: 1 == 1, do: [{ id: a, call: close }] }\n"
        "      - { else: true, do: [{ id: b, call: reopen }] }\n" + READ.format("b")
    ),
    "catch knows the error and what was tried": (
        "do:\n  - try: [{ id: a, call: close }]\n    catch:\n      as: problem\n      when: problem.type == 'timeout'\n"
        "      do: [{ call: log, with: { text: '{{ problem.message }} {{ steps.a.attempts }}' } }]\n"
        "    finally: [{ call: log, with: { text: '{{ steps.a.status }}' } }]\n"
    ),
    "items and after know before": (
        "vars: { t: 0 }\nbefore:\n  - { id: seen, if: items.total > 5, set: { t: '{{ items.total }}' } }\n"
        "do:\n  - { if: steps.seen.status == 'skipped', call: close }\n"
        "after:\n  - if: items.failed > 0 and vars.t > 5 and steps.seen.attempts == 1\n"
        "    call: log\n    with: { text: x }\n"
    ),
    "a failed item knows its error and all its steps": (
        "do:\n  - { id: a, call: close }\non_failure:\n  - call: log\n"
        "    with: { text: '{{ error.step }} {{ error.type }} {{ steps.a.error | default(\"\") }}' }\n"
    ),
    "outputs know the end": (
        "do:\n  - { id: a, call: distribute, with: { to: any } }\n"
        "outputs: { who: { label: W, value: '{{ steps.a.result.operator.name }}', show_if: steps.a.result.queued } }\n"
        "message: '{{ dialog.operator_name }}'\n"
    ),
    "listen reads its event, and counts from a step before": (
        "do:\n  - { id: a, call: close }\n  - listen:\n"
        "      to: { event: message.received, where: event.text | length > 2 }\n      timeout: 1h\n      since: a\n"
    ),
    "a form reads what it opens on": (
        "inputs:\n  a: { label: A, type: boolean, default: true }\n"
        "  b: { label: B, type: string, default: '{{ contact.email }}', show_if: inputs.a }\ndo: [{ call: close }]\n"
    ),
    "a trigger reads its event": (
        "permissions: { launch: { roles: [system] } }\ntriggers:\n  - event: dialog.closed\n"
        "    if: trigger.closed_by != 'system' and 'vip' in dialog.tags\n    once_key: '{{ contact.id }}'\n"
        "do: [{ call: close }]\n"
    ),
    "a broken promise tells its metric": (
        "permissions: { launch: { roles: [system] } }\ntriggers:\n  - event: sla.breached\n"
        "    if: trigger.metric == 'tfr' and trigger.overdue_minutes > 5 and dialog.is_overdue\n"
        "  - event: sla.warned\n    if: trigger.percent >= 80 and dialog.due_at < now() + hours(1)\n"
        "do:\n  - listen: { to: { event: sla.breached, where: event.metric == 'nrt' }, timeout: 1h }\n"
    ),
    "a text compared with an input of many shapes": (
        "inputs: { d: { label: D, type: date }, c: { label: C, type: choice, choices: [a, b] } }\n"
        "do:\n  - { if: inputs.d == '2026-01-01' or inputs.c == 'b' or dialog.csat == none, call: close }\n"
    ),
    "an action's result may hold more than its manifest says": (
        "do:\n  - { id: a, call: get_dialog }\n  - { if: steps.a.result.status == 'open', call: close }\n"
    ),
    "a sub-process answers what it likes": (
        "do:\n  - { id: a, run: { process: other } }\n  - { if: steps.a.result.anything == 1, call: close }\n"
    ),
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_it_is_allowed(text: str) -> None:
    assert said(text) == []


REFUSED = {
    "a branch does not know its neighbour": (
        "do:\n  - fork:\n      branches:\n        - { id: l, do: [{ id: a, call: close }] }\n"
        "        - { id: r, do: [{ if: steps.a.status == 'failed', call: reopen }] }\n",
        "9:37 error E307 step 'a'",
    ),
    "a case does not know the one before it": (
        "do:\n  - switch:\n      - { when: 1 == 1, do: [{ id: a, call: close }] }\n"
        "      - { else: true, do: [{ if: steps.a.status == 'failed', call: reopen }] }\n",
        "8:40 error E307 step 'a'",
    ),
    "rounds at the same time do not know each other": (
        "do:\n  - for: { in: [1, 2], concurrency: 2 }\n    do:\n"
        "      - { if: steps.b.status == 'failed', call: close }\n      - { id: b, call: reopen }\n",
        "8:21 error E307 step 'b'",
    ),
    "a step does not know itself": (
        "do:\n  - { id: a, if: steps.a.status == 'failed', call: close }\n",
        "6:24 error E307 step 'a'",
    ),
    "a loop's names end with it": (
        "do:\n  - { for: { in: [1] }, do: [{ call: close }] }\n  - { if: item == 1, call: reopen }\n",
        "7:11 error E302 unknown name 'item'",
    ),
    "before has no dialog": (
        "before:\n  - { if: dialog.status == 'open', call: log, with: { text: x } }\ndo: [{ call: close }]\n",
        "6:11 error E302 'dialog' is not known here — it is known in do",
    ),
    "the guard knows no steps of items": (
        "guard: steps.a.status == 'failed'\ndo: [{ id: a, call: close }]\n",
        "5:14 error E307 step 'a'",
    ),
    "a listen cannot count from a step to come": (
        "do:\n  - listen: { to: dialog.closed, timeout: 1h, since: b }\n  - { id: b, call: close }\n",
        "6:54 error E307 step 'b'",
    ),
    "a broken promise has no percent": (
        "permissions: { launch: { roles: [system] } }\ntriggers:\n  - event: sla.breached\n"
        "    if: trigger.percent > 80\ndo: [{ call: close }]\n",
        "8:17 error E303 unknown field 'percent'",
    ),
    "a listener's event of a clock is known, too": (
        "do:\n  - listen: { to: { event: sla.warned, where: event.precent > 80 }, timeout: 1h }\n",
        "6:53 error E303 unknown field 'precent' — did you mean 'percent'?",
    ),
    "secrets are not there": (
        "do:\n  - { call: log, with: { text: '{{ env.HOME }}' } }\n",
        "6:36 error E302 unknown name 'env'",
    ),
    "a nested field of a step": (
        "do:\n  - { id: a, call: distribute, with: { to: any } }\n  - { if: steps.a.result.queud, call: close }\n",
        "7:26 error E303 unknown field 'queud' — did you mean 'queued'?",
    ),
    "a condition of the wrong type through an input": (
        "inputs: { n: { label: N, type: integer } }\ndo:\n  - { if: inputs.n, call: close }\n",
        "7:11 error E306 a condition is true or false, 'inputs.n' is a number",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(text: str, line: str) -> None:
    found = said(text)
    assert len(found) == 1
    assert found[0].startswith(line), found


def test_a_macro_may_be_all_it_is() -> None:
    assert said("permissions: { launch: { roles: [operator] } }\ndo: [{ call: close }]\n", MACRO) == []


def test_a_rate_may_name_a_kind_or_a_key() -> None:
    text = HEAD + "mass: { rate: { telegram: 1/s, demo: 2/s, default: 3/s } }\ndo: [{ call: close }]\n"
    assert [d.code for d in check(load(text), catalogue(), WORLD)] == []


def test_an_automatic_definition_may_name_the_system() -> None:
    text = HEAD + "permissions: { launch: { roles: [system, admin] } }\ndo: [{ call: close }]\n"
    assert [d.code for d in check(load(text), catalogue(), WORLD)] == []
