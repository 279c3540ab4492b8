"""Ends the test process as soon as pytest is done: with the Temporal SDK loaded the interpreter may abort while it
shuts down (temporalio/sdk-python#300), which would turn a green run red.
"""

import os
import sys

import pytest

_ending: dict[str, int] = {}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    _ending["code"] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if "temporalio.bridge" not in sys.modules or hasattr(config, "workerinput") or "code" not in _ending:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_ending["code"])
