"""`switchboard up` with stand-ins for the server and the workers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import cli
from embedded import programs

programs.CLI = Path(__file__).with_name("stand_in.py")
cli.main()
