import io
import json
import logging

import pytest

from logs import configure


@pytest.fixture
def root():
    logger = logging.getLogger()
    before = logger.handlers, logger.level
    yield logger
    logger.handlers, _ = before[0], logger.setLevel(before[1])


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_tells_no_local_variables(root, style):
    configure(style, "info", "test")
    root.handlers[0].setStream(written := io.StringIO())
    headers = {"authorization": "Bearer " + "-".join(["kept", "to", "oneself"])}
    try:
        raise ValueError(len(headers))
    except ValueError:
        logging.getLogger("api").exception("unexpected")
    assert "ValueError" in written.getvalue()
    assert headers["authorization"] not in written.getvalue()
    if style == "json":
        assert json.loads(written.getvalue())["exception"][0]["frames"]
