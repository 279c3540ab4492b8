"""The shell blocks of README.md, run as a reader would: one after another in one shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BETWEEN = "-- block --"


def blocks() -> list[str]:
    """What stands between ```bash fences; ```sh is shown to be typed by hand."""
    return _BLOCK.findall((ROOT / "README.md").read_text())


def run(url: str, password: str, token: str) -> list[str]:
    """What each block printed."""
    said = {"SWITCHBOARD": url, "SWITCHBOARD_DEMO_PASSWORD": password, "SWITCHBOARD_DEMO_TOKEN": token}
    script = f"echo '{_BETWEEN}'\n".join(blocks())
    done = subprocess.run(
        ["bash"], input=script, capture_output=True, text=True, env={**os.environ, **said}, timeout=110, check=False
    )
    assert not done.stderr, done.stderr[-2000:]
    return [printed.strip() for printed in done.stdout.split(_BETWEEN)]
