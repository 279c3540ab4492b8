"""What a person reads when the stack does not start."""

from __future__ import annotations


class StartError(Exception):
    """A part that did not start. The text is one line: what is wrong and what to do."""
