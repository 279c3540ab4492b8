"""Bad definitions, each with what is said about it and where: at least one for every code. Most stand in corpus.txt:

==== CODE | line:column | pointer | part of what is said | text of its fix
<process>        (stands for the four lines of HEAD; <macro> for those of MACRO)
…
"""

from dataclasses import dataclass
from pathlib import Path

from domain.definitions.worlds import KnownDefinition, KnownVersion, World

HEAD = "dsl: 1\nkind: process\nname: p\ntitle: P\n"
MACRO = "dsl: 1\nkind: macro\nname: m\ntitle: M\n"
DO = "do:\n  - call: get_dialog\n"

WORLD = World(
    teams=frozenset({"support", "sales"}),
    topics=frozenset({"payment"}),
    tags=frozenset({"vip"}),
    roles=frozenset({"operator", "supervisor", "admin"}),
    users=frozenset({"olha@demo.local"}),
    quick_replies=frozenset({"greeting"}),
    templates=frozenset({"promo1"}),
    connections=frozenset({"core-banking"}),
    channels=frozenset({"demo"}),
    secrets=frozenset({"hook-secret"}),
    calendars=frozenset({"office"}),
    definitions={
        "child": KnownDefinition("process", 2, 2, {2: KnownVersion({"need": True, "may": False})}),
        "circle": KnownDefinition("process", 1, 1, {1: KnownVersion({}, (("p", "pinned"),))}),
        "draft": KnownDefinition("process"),
        "deep": KnownDefinition("process", 1, 1, {1: KnownVersion({}, (("deep2", 1),))}),
        "deep2": KnownDefinition("process", 1, 1, {1: KnownVersion({}, (("deep3", 1),))}),
        "deep3": KnownDefinition("process", 1, 1, {1: KnownVersion({}, (("child", 2),))}),
    },
)
#: may do all but send
PUBLISHER = frozenset({"dialog.read", "dialog.assign", "dialog.close", "dialog.edit", "dialog.note"})


@dataclass(frozen=True)
class Bad:
    """`place` and `pointer` of the diagnostic `code` (or of one wording of it); `says`: a part of its line."""

    code: str
    source: str | bytes
    place: str
    pointer: str
    says: str = ""
    fix: str | None = None


SPECIAL = (
    Bad("E101", "", "1:1", "", "empty"),
    Bad("E101", HEAD.encode() + b"note: \xff\n", "1:1", "", "UTF-8"),
    Bad("E101", HEAD + "note: \x07\n" + DO, "5:7", "", "control"),
    Bad("E101", HEAD + "note: їжак\u0085 b\x07\n" + DO, "6:3", "", "control"),
    Bad("E106", HEAD + "note: " + "x" * 66_000 + "\n" + DO, "1:1", "", "65536"),
    Bad("E107", HEAD + "vars: { a: " + "[" * 70 + "]" * 70 + " }\n" + DO, "5:70", "/vars/a" + "/0" * 58, "deep"),
    Bad("E306", f"{HEAD}do:\n  - if: {'(' * 50}1 == 1{')' * 50}\n    call: close\n", "6:49", "/do/0/if", "deep"),
    Bad("E506", HEAD + "do:\n" + "  - call: close\n" * 201, "206:5", "/do/200", "201 steps"),
)


def _read() -> tuple[Bad, ...]:
    found = []
    for block in (Path(__file__).parent / "corpus.txt").read_text("utf-8").split("==== ")[1:]:
        title, _, source = block.partition("\n")
        code, place, pointer, says, fix = (part.strip() for part in title.split("|", 4))
        whole = source.replace("<process>\n", HEAD).replace("<macro>\n", MACRO)
        found.append(Bad(code, whole, place, pointer, says, fix or None))
    return tuple(found)


CORPUS = (*SPECIAL, *_read())
