"""After which steps somebody still looks at the target."""

from __future__ import annotations

import pytest

from domain.walks.sightings import looked_at_after

CALL = {"id": "a", "call": "distribute", "with": {"to": "online"}}
NOTE = {"id": "b", "call": "add_note", "with": {"text": "{{ steps.a.result.place }}"}}
READS = {"id": "b", "call": "add_note", "with": {"text": "{{ dialog.operator_name }}"}}


@pytest.mark.parametrize(
    ("steps", "more", "expected"),
    [
        ([CALL, NOTE], {}, set()),
        ([CALL, READS], {}, {"a"}),
        ([READS, CALL | {"id": "c"}], {}, set()),
        ([CALL, NOTE], {"outputs": {"o": {"label": "O", "value": "{{ dialog.place }}"}}}, {"a", "b"}),
        ([CALL, READS | {"if": "inputs.tell"}], {}, set()),
        ([CALL, READS | {"disabled": True}], {}, set()),
        ([CALL, {"id": "s", "switch": [{"when": "dialog.status == 'open'", "do": [NOTE]}]}], {}, {"a", "b"}),
        ([{"id": "f", "for": {"in": [1, 2]}, "do": [CALL, READS]}], {}, {"a", "b"}),
        ([CALL, NOTE], {"on_failure": [{"id": "x", "call": "close"}, READS | {"id": "y"}]}, {"a", "b", "x", "y"}),
        ([CALL, {"id": "t", "set": {"v": "{{ inputs.text | fill }}"}}], {}, {"a"}),
    ],
)
def test_what_is_looked_at_after(steps, more, expected) -> None:
    assert looked_at_after({"do": steps, **more}, {"tell": False, "text": ""}) == expected
