"""Names: variables, snapshots, what branches and rounds see of each other (PROCESS_LANGUAGE 9.2)."""

from datetime import UTC, datetime

from domain.walks.ports import Brief, Snapshot
from domain.walks.samples import START, sample_snapshot
from domain.walks.scopes import Scope, names_of
from tests.domain.walks.scenes import log, output, record_of, shown, tag, walked


def test_set_reads_the_old_values():
    gone = walked(
        {"id": "swap", "set": {"a": "{{ vars.b }}", "b": "{{ vars.a }}"}},
        vars={"a": 1, "b": 2},
        outputs=output(a="{{ vars.a }}", b="{{ vars.b }}"),
    )
    assert shown(gone) == {"a": 2, "b": 1}
    assert record_of(gone, "swap").branch == {"before": {"a": 1, "b": 2}}


def test_a_missing_value_cannot_be_set():
    gone = walked({"id": "a", "set": {"x": "{{ trigger.nothing }}"}}, vars={"x": 1})
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("expression", "a")


def test_variables_have_room_for_128_kb():
    gone = walked(
        {"id": "a", "set": {"x": "{{ inputs.text }}", "y": "{{ inputs.text }}"}},
        {"id": "b", "set": {"z": "{{ inputs.text }}"}},
        vars={"x": "", "y": "", "z": ""},
        inputs={"text": {"label": "t", "type": "text"}},
        given={"text": "x" * 60_000},
    )
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("limit", "b")


def test_variables_begin_with_expressions():
    gone = walked(log("a"), vars={"who": "{{ contact.first_name }}"}, outputs=output(who="{{ vars.who }}"))
    assert shown(gone) == {"who": "Олена"}


def test_what_the_phase_before_left_is_there():
    gone = walked(
        log("a"),
        vars={"n": 0},
        left={"vars": {"n": 5}, "steps": {"ask": {"status": "succeeded", "approved": True}}},
        outputs=output(n="{{ vars.n }}", ok="{{ steps.ask.approved }}"),
    )
    assert shown(gone) == {"n": 5, "ok": True}


def test_branches_do_not_see_each_other_until_they_are_joined():
    gone = walked(
        {
            "id": "both",
            "fork": {
                "branches": [
                    {"id": "x", "do": [{"id": "sx", "set": {"a": 1}}]},
                    {"id": "y", "do": [{"id": "sy", "set": {"b": "{{ vars.a }}"}}]},
                ]
            },
        },
        vars={"a": 0, "b": None},
        outputs=output(a="{{ vars.a }}", b="{{ vars.b }}"),
    )
    assert shown(gone) == {"a": 1, "b": 0}


def test_a_loops_steps_are_those_of_its_last_round():
    gone = walked(
        {"id": "loop", "for": {"in": [1, 2, 3], "each": "n"}, "do": [{"id": "s", "set": {"last": "{{ n }}"}}]},
        vars={"last": 0},
        outputs=output(
            last="{{ steps.s.result.last }}", all="{{ steps.loop.results | pluck('s') | pluck('last') | join(',') }}"
        ),
    )
    assert shown(gone) == {"last": 3, "all": "1,2,3"}


def test_a_round_remembers_nothing_of_the_steps_of_the_one_before():
    gone = walked(
        {
            "id": "loop",
            "for": {"in": [1, 2], "each": "n"},
            "do": [
                log("first", **{"if": "n == 1"}),
                {"id": "look", "set": {"seen": "{{ vars.seen ~ (steps.first.status | default('?')) ~ ' ' }}"}},
            ],
        },
        vars={"seen": ""},
        outputs=output(seen="{{ vars.seen }}"),
    )
    assert shown(gone) == {"seen": "succeeded skipped "}


def test_loop_names_end_with_the_loop():
    gone = walked(
        {"id": "loop", "for": {"in": [1], "each": "n", "at": "i"}, "do": [log("a", "{{ n ~ i }}")]},
        outputs=output(n="{{ n | default('gone') }}", i="{{ i | default('gone') }}"),
    )
    assert shown(gone) == {"n": "gone", "i": "gone"}
    assert record_of(gone, "loop[0]/a").inputs == {"text": "10"}


def test_concurrent_rounds_count_and_keep_their_order():
    gone = walked(
        {
            "id": "loop",
            "for": {"in": [3, 1, 2], "each": "n", "concurrency": 3},
            "do": [{"id": "pause", "wait": "{{ n }}0s"}, tag("mark")],
        },
        outputs=output(
            count="{{ steps.loop.result.count }}", results="{{ steps.loop.results | length }}",
            last="{{ steps.pause.result.until }}",
        ),
    )  # fmt: skip
    assert shown(gone) == {"count": 3, "results": 3, "last": "2026-01-05T09:00:20Z"}
    assert gone.took.total_seconds() == 30


def _scope() -> Scope:
    return Scope.of(Brief({}, {}, "k", snapshot=sample_snapshot("dialog")), START)


def test_the_highest_revision_stays():
    scope = _scope()
    scope.take(Snapshot(dialog={"id": "dialog-1", "status": "closed"}, revision=5))
    scope.take(Snapshot(dialog={"id": "dialog-1", "status": "open"}, revision=4))
    assert scope.names["dialog"]["status"] == "closed"


def test_another_dialog_is_taken_whatever_its_revision():
    scope = _scope()
    scope.take(Snapshot(dialog={"id": "dialog-1", "status": "closed"}, revision=5))
    scope.take(Snapshot(dialog={"id": "dialog-2", "status": "new"}, revision=1))
    assert scope.names["dialog"]["id"] == "dialog-2"


def test_a_snapshot_of_the_contact_alone_leaves_the_dialog():
    scope = _scope()
    scope.take(Snapshot(contact={"id": "contact-1", "name": "Інша"}, revision=0))
    assert (scope.names["contact"]["name"], scope.names["dialog"]["id"]) == ("Інша", "dialog-1")


def test_a_dialog_nobody_holds_has_no_operator():
    scope = _scope()
    scope.take(Snapshot(dialog={"id": "dialog-1"}, operator=None, revision=2))
    assert scope.names["operator"] == {}


def test_moments_are_moments():
    names = names_of(
        Snapshot(
            dialog={"opened_at": "2026-01-05T09:00:00Z", "subject": "2026-01-05T09:00:00Z"},
            contact={"channels": [{"kind": "viber", "last_used_at": "2026-01-05T09:00:00+02:00"}]},
        )
    )
    moment = datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert names["dialog"] == {"opened_at": moment, "subject": "2026-01-05T09:00:00Z"}
    assert names["contact"]["channels"][0]["last_used_at"] == moment.replace(hour=7)
    assert names["operator"] == {}
