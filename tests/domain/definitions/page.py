"""docs/diagnostics.md: every code, what it says, a definition that earns it. Written by

python -m tests.domain.definitions.page
"""

from pathlib import Path

from domain.definitions.wording import CATALOGUE
from tests.domain.definitions.corpus import CORPUS, HEAD, Bad

PAGE = Path(__file__).parents[3] / "docs" / "diagnostics.md"
LONGEST_EXAMPLE = 500
INTRODUCTION = """\
# Diagnostics

What is said about a definition of a process or macro: by `switchboard validate`, by `POST /api/v1/processes/validate`,
and when it is published. Codes beginning with E and T keep a definition from being published; W are shown.

| codes | about |
|---|---|
| E1xx | the text: YAML, size, characters |
| E2xx | the shape: keys, values, kinds of steps |
| E3xx | names and expressions |
| E4xx | what the definition names of its installation; counts when a version is activated |
| E5xx | policy: limits, triggers, rights |
| W6xx | probably not meant |
| T7xx | the definition's own tests |

Examples leave out the first four lines (`dsl`, `kind`, `name`, `title`).
"""


def page() -> str:
    codes: dict[str, list[str]] = {}
    for key in CATALOGUE:
        codes.setdefault(key.partition(".")[0], []).append(key)
    return "\n".join([INTRODUCTION, *(_section(code, codes[code]) for code in sorted(codes))])


def _section(code: str, keys: list[str]) -> str:
    lines = [f"## {code}", ""]
    told = dict.fromkeys(_line(key) for key in keys)
    lines += [f"- {line}" for line in told if line.strip(": —")]
    example = next((bad for bad in CORPUS if bad.code == code and _is_short(bad)), None)
    if example is not None:
        shown = str(example.source).removeprefix(HEAD).rstrip("\n")
        lines += ["", "```yaml", shown, "```"]
    return "\n".join([*lines, ""])


def _line(key: str) -> str:
    said = CATALOGUE[key]
    if said.en.startswith("{said}"):
        return "what the compiler of expressions says"
    texts = [said.en, said.en_hint] if said.en_hint else [said.en]
    plain = [text.replace("{{", "\0").replace("}}", "\1").replace("{", "<").replace("}", ">") for text in texts]
    return " — ".join(f"`{text}`" for text in plain).replace("\0", "{").replace("\1", "}")


def _is_short(bad: Bad) -> bool:
    return (
        isinstance(bad.source, str)
        and bad.source.replace("\n", "").isprintable()
        and 0 < len(bad.source) < LONGEST_EXAMPLE
        and bad.source.startswith(HEAD)
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
