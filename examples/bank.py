"""A small bank to try connections, macros and processes against. Nothing but the standard library.

    python -m examples.bank --port 8099

GET /v2/clients/{id}/deposits/last answers a few known clients and 404 for everybody else. Some clients are trouble
on purpose: one is slow, one breaks, one limits, one hangs up. With --token it wants `Authorization: Bearer …`.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEPOSITS: dict[str, dict[str, Any]] = {
    "1234567": {"state": "active", "amount": 25000.5, "currency": "UAH", "matures_at": "2027-03-01"},
    "2345678": {"state": "matured", "amount": 1200, "currency": "USD", "matures_at": "2026-11-01"},
    "3456789": {"state": "blocked", "amount": 90000, "currency": "UAH", "matures_at": "2028-01-15"},
}
#: clients that are trouble, and what becomes of a question about them
TROUBLES = {
    "5000000": "answers 500",
    "5000001": "answers 500 twice, then well",
    "5000002": "answers after 30 seconds",
    "5000003": "answers 429 once, with Retry-After: 2",
    "5000004": "hangs up without an answer",
    "5000005": "answers a redirect",
}
_PATH = re.compile(r"/v2/clients/([^/]+)/deposits/last")
_SLOW = 30
_LONGEST_BODY = 64 * 1024


class Bank(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, token: str | None = None) -> None:
        super().__init__((host, port), Desk)
        self.token = token
        self.is_closing = threading.Event()
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, client: str) -> int:
        """How often this client was asked about, this time included."""
        with self._lock:
            self._asked[client] = self._asked.get(client, 0) + 1
            return self._asked[client]


class Desk(BaseHTTPRequestHandler):
    server: Bank
    protocol_version = "HTTP/1.1"
    server_version = "ExampleBank"
    timeout = 60

    def do_GET(self) -> None:
        if self.path == "/":
            return self._say(200, {"bank": "example", "clients": sorted(DEPOSITS), "troubles": TROUBLES})
        found = _PATH.fullmatch(self.path.partition("?")[0])
        if found is None:
            return self._say(404, {"error": "no_such_path"})
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._say(401, {"error": "unauthorized"})
        return self._last_deposit(found[1])

    def do_POST(self) -> None:
        """Takes anything below /v2/orders and tells it back, with the key by which it would know a repetition."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            return self._say(413, {"error": "too_large"})
        body = self.rfile.read(int(length))
        if not self.path.startswith("/v2/orders"):
            return self._say(404, {"error": "no_such_path"})
        try:
            order = json.loads(body or b"null")
        except ValueError:
            return self._say(400, {"error": "not_json"})
        return self._say(201, {"order": order, "key": self.headers.get("Idempotency-Key")})

    def _last_deposit(self, client: str) -> None:
        asked = self.server.count(client)
        if client == "5000000" or (client == "5000001" and asked % 3):
            return self._say(500, {"error": "out_of_order"})
        if client == "5000002":
            self.server.is_closing.wait(_SLOW)
        if client == "5000003" and asked % 2:
            return self._say(429, {"error": "slow_down"}, {"Retry-After": "2"})
        if client == "5000004":
            self.close_connection = True
            return None
        if client == "5000005":
            return self._say(302, {}, {"Location": "http://169.254.169.254/latest/meta-data/"})
        known = DEPOSITS.get(client) or (DEPOSITS["1234567"] if client in TROUBLES else None)
        if known is None:
            return self._say(404, {"error": "no_such_client"})
        return self._say(200, {"client": client, **known})

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        print(time.strftime("%H:%M:%S"), format % args, flush=True)


def _parser() -> argparse.ArgumentParser:
    troubles = "\n".join(f"  {client}  {what}" for client, what in TROUBLES.items())
    known = "\n".join(f"  {client}  {deposit['state']}" for client, deposit in DEPOSITS.items())
    parser = argparse.ArgumentParser(
        prog="python -m examples.bank",
        description="A small bank to try connections, macros and processes against.",
        epilog=f"known clients:\n{known}\n\ntrouble on purpose:\n{troubles}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8099, help="port to listen on; 0 = any (default: %(default)s)")
    parser.add_argument("--token", help="ask for Authorization: Bearer TOKEN")
    return parser


def main() -> None:
    given = _parser().parse_args()
    try:
        bank = Bank(given.host, given.port, given.token)
    except OSError as error:
        raise SystemExit(f"The bank cannot listen on {given.host}:{given.port}: {error.strerror}.") from None

    def close(*_: object) -> None:
        bank.is_closing.set()
        threading.Thread(target=bank.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, close)
    print(f"The bank is open at http://{given.host}:{bank.server_address[1]} (Ctrl-C closes it)", flush=True)
    bank.serve_forever(poll_interval=0.2)
    bank.server_close()


if __name__ == "__main__":
    main()
