"""The look of diagnostics, on a file broken on purpose."""

from pathlib import Path

from domain.actions.catalogue import catalogue
from domain.definitions.checking import check
from domain.definitions.diagnostics import readable
from domain.definitions.loading import load

LISTING = """\
7:12 error E204 unknown event 'sla.breach' — did you mean 'sla.breached'?  [/triggers/1/event]
13:9 error E201 unknown key 'concurency' — did you mean 'concurrency'?  [/mass/concurency]
13:43 error E210 '30 per second' is not a rate — write 20/s, 300/m or 1000/h  [/mass/rate/telegram]
24:9 error E303 a condition is already an expression — remove the {{ }} braces  [/do/3/if]
29:18 error E305 calling '.upper()' is not allowed — use the filter: | upper  [/do/4/with/tag]
34:11 error E209 'PT1H' is not a duration — write 30s, 15m, 2h or 3d  [/do/6/wait]
42:32 error E309 variable 'total' is set in two parallel branches — use two variables, then combine them after the \
fork  [/do/7/fork/branches/1/do/0/set/total]
48:5 warning W602 steps after this one never run  [/do/12]"""


def test_it_reads_like_this() -> None:
    loaded = load((Path(__file__).parent / "broken.yaml").read_bytes())
    assert loaded.definition is None
    assert loaded.sha256 is None
    assert readable(check(loaded, catalogue())) == LISTING
