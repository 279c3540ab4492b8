"""What `switchboard up` and `switchboard doctor` show a person."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from embedded.checks import Finding
from embedded.supervisor import Stack
from settings import Settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
DEMO_USERS = (
    ("admin@demo.local", "settings, users, everything"),
    ("supervisor@demo.local", "teams, queue, reports"),
    ("olha@demo.local", "operator (also taras@, iryna@; light@ reads along)"),
    ("integrator@demo.local", "channels and connections (ops@ reads histories)"),
)


def stack_panel(stack: Stack, settings: Settings) -> None:
    rows = Table.grid(padding=(0, 2))
    rows.add_row("Server", stack.url)
    rows.add_row("API", f"{stack.url}/api/v1/openapi.json")
    if stack.temporal_ui_url:
        rows.add_row("Temporal", stack.temporal_ui_url)
    rows.add_row("Data, logs", escape(str(settings.data_dir.absolute())))
    if stack.sign_ins:
        rows.add_row()
        for user, purpose in DEMO_USERS:
            rows.add_row(user, purpose)
        rows.add_row("Password", escape(stack.sign_ins.password))
        rows.add_row("API token", escape(stack.sign_ins.token))
    console = _console()
    console.print(Panel(rows, title="Switchboard is ready", subtitle="Ctrl-C stops it", expand=False))
    console.file.flush()


def findings_table(findings: Sequence[Finding]) -> None:
    table = Table("", "what", "found", "remedy", box=None, pad_edge=False)
    for finding in findings:
        verdict = f"[{COLOURS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(verdict, finding.subject, escape(finding.found), escape(finding.remedy))
    _console().print(table)


def _console() -> Console:
    """Wide enough off a terminal that an address or a token is never broken in two."""
    console = Console(soft_wrap=False, highlight=False)
    return console if console.is_terminal else Console(width=140, highlight=False)
