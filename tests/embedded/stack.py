"""`switchboard …` with stand-ins for the server and the workers; `STACK_FREE_BYTES` shrinks the disk."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import cli
from embedded import programs

if "STACK_FREE_BYTES" in os.environ:
    free = int(os.environ["STACK_FREE_BYTES"])
    shutil.disk_usage = lambda path: shutil._ntuple_diskusage(free, 0, free)  # type: ignore[attr-defined]
programs.CLI = Path(__file__).with_name("stand_in.py")
cli.main()
