"""Blocks of documents; those of README.md run as a reader would: one after another in one shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BETWEEN = "-- block --"


def fenced(document: str, language: str) -> list[str]:
    """What stands between ```language fences of a document."""
    text = (ROOT / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def blocks(document: str = "README.md") -> list[str]:
    """Those that are run; ```sh is shown to be typed by hand."""
    return fenced(document, "bash")


def run(url: str, password: str, token: str, document: str = "README.md") -> list[str]:
    """What each block printed."""
    said = {"SWITCHBOARD": url, "SWITCHBOARD_DEMO_PASSWORD": password, "SWITCHBOARD_DEMO_TOKEN": token}
    script = f"echo '{_BETWEEN}'\n".join(blocks(document))
    done = subprocess.run(
        ["bash"], input=script, capture_output=True, text=True, env={**os.environ, **said}, timeout=110, check=False,
        cwd=ROOT,
    )  # fmt: skip
    assert not done.stderr, done.stderr[-2000:]
    return [printed.strip() for printed in done.stdout.split(_BETWEEN)]
