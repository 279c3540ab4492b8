"""Stands in for `cli.py` as the supervisor's programs: a server that is ready, workers that wait, one-shots that pass.

`STAND_IN_FAILS=<command>` makes that command print a reason and fail, `STAND_IN_IS_STUBBORN=<command>` deaf to SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if os.environ.get("STAND_IN_FAILS") == "worker" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(command: str) -> None:
    if os.environ.get("STAND_IN_FAILS") == command:
        print("switchboard: the stand-in was told to fail")
        sys.exit(3)
    stubborn = os.environ.get("STAND_IN_IS_STUBBORN") == command
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else lambda *_: sys.exit(0))
    if command == "server":
        HTTPServer(("127.0.0.1", int(os.environ["SWITCHBOARD_HTTP_PORT"])), Ready).serve_forever()
    elif command == "worker":
        print("waiting", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
