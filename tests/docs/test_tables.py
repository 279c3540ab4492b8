"""Tables in the documentation say what the code says."""

from __future__ import annotations

from api.errors import status_of
from domain.decisions import WAITS
from domain.errors import BY_CODE
from settings import Settings
from tests.docs.tour import ROOT

#: refusals of the web framework and of what nobody foresaw; they have no class of their own
FRAMEWORKS = {
    "malformed": (400, "Malformed request"),
    "method_not_allowed": (405, "Method not allowed"),
    "unexpected": (500, "Unexpected error"),
}


def rows(document: str, below: str) -> list[list[str]]:
    """Cells of the first table below a header row that begins so."""
    lines = (ROOT / document).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(below))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return found


def test_every_refusal_is_listed_with_its_status_and_title() -> None:
    known = {code: (status_of(code), refusal.title) for code, refusal in BY_CODE.items()} | FRAMEWORKS
    wanted = sorted([str(status), code, title] for code, (status, title) in known.items())
    assert rows("docs/api.md", "| status | code |") == wanted


def test_every_setting_is_listed() -> None:
    wanted = [field.validation_alias for field in Settings.model_fields.values()]
    assert [name for name, *_ in rows("docs/run.md", "| variable |")] == wanted


def test_every_reason_to_wait_is_listed() -> None:
    assert rows("docs/distribution.md", "| reason | in words |") == [[reason, says] for reason, says in WAITS.items()]
