"""Draws journey.svg from what the commands of README.md really print.

.venv/bin/python -m docs.pictures.draw URL DEMO_PASSWORD DEMO_TOKEN
"""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from tests.docs import tour

PICTURE = Path(__file__).with_name("journey.svg")
#: the commands shown, by how they begin in the README
SHOWN = ('as supervisor GET "/dialogs/$DIALOG/decisions"', 'as supervisor GET "/dialogs/$DIALOG/history"')
MOMENT = r"^\d{4}-\d\d-\d\dT[\d:.]+Z"
WIDTH = 116
#: rich's own frame without the font it would load from elsewhere
FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def main() -> None:
    printed = tour.run(*sys.argv[1:])
    console = Console(record=True, width=WIDTH, file=StringIO())
    for block, answer in zip(tour.blocks(), printed, strict=True):
        command = block.strip().splitlines()[-1]
        if not command.startswith(SHOWN):
            continue
        console.print(Text("$ ", "bold green") + Text(command, "bold"))
        for line in answer.splitlines():
            if "decisions" not in command or line.startswith(("assigned", "waiting")):
                console.print(_coloured(line))
        console.print()
    svg = console.export_svg(title="Switchboard", theme=SVG_EXPORT_THEME, code_format=FRAME, unique_id="journey")
    PICTURE.write_text(svg)


def _coloured(line: str) -> Text:
    text = Text(line)
    text.highlight_regex(MOMENT, "dim")
    text.highlight_regex(r"^(assigned|waiting)", "cyan")
    text.highlight_regex(re.compile(r"tried to .*"), "yellow")
    return text


if __name__ == "__main__":
    main()
