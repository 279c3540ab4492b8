"""After which steps anybody still looks at the dialog, the contact or the operator: a host that knows need not read
them anew for nobody.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.topologies import settled
from domain.walks.prepared import reads_target


def looked_at_after(canonical: Mapping[str, Any], inputs: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the calls of an item whose effect on its target something may read afterwards.

    Steps that a condition on the inputs alone leaves out read nothing. A step with steps of its own counts as a whole.
    """
    rest = {name: canonical.get(name) for name in ("on_failure", "outputs", "message")}
    is_read, found = reads_target(rest), set[str]()
    for step in reversed(canonical.get("do") or ()):
        if step.get("disabled") or settled(step.get("if"), inputs) is False:
            continue
        reads = reads_target(step)
        if is_read or (reads and "call" not in step):
            found.update(_calls_in(step))
        is_read = is_read or reads
    found.update(_calls_in(canonical.get("on_failure")))
    return frozenset(found)


def _calls_in(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if "call" in part and "id" in part:
            yield str(part["id"])
            return
        for one in part.values():
            yield from _calls_in(one)
    elif isinstance(part, list | tuple):
        for one in part:
            yield from _calls_in(one)
