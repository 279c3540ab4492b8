"""The parser's complaints in words an author understands, with a remedy where there is a usual one."""

import re
from typing import Final

from domain.expressions.errors import ExpressionError, quoted

_HINTS: Final = {
    "&": "write `and`", "|": "write `or`", "!": "write `not`", "=": "compare with ==", "?": "write `a if c else b`",
    ";": "one expression stands here", "@": "write a name without it", "$": "write a name without it",
}  # fmt: skip
_TOKENS: Final = {
    "end of print statement": "}}", "end of statement block": "%}", "name": "a name", "name or number": "a name",
    "begin of print statement": "{{", "begin of statement block": "{%", "end of template": "the end",
}  # fmt: skip
_UNKNOWN_TAG: Final = re.compile(r"unknown tag '(\w+)'(?:.*closed is '(\w+)')?", re.DOTALL)
_UNCLOSED_TAG: Final = re.compile(r"following tags: .*closed is '(\w+)'", re.DOTALL)
_EXPECTED: Final = re.compile(r"\bexpected (?:token )?'(.+?)'(?:, got '(.+)')?", re.DOTALL)
_UNEXPECTED: Final = re.compile(r"unexpected '(.+)'", re.DOTALL)


def complaint(message: str, offset: int, source: str) -> ExpressionError:
    """E301 at `offset`, unless the source ended too soon: then at its end."""
    offset = min(max(offset, 0), len(source))
    if "end of template" in message and "got" not in message:
        text = _ends_too_soon(message)
        return ExpressionError("E301", text, offset=len(source), length=0)
    sign = source[offset : offset + 1]
    if sign in ("'", '"') and "unexpected char" in message:
        return ExpressionError("E301", "the text is not closed — add the second quote", offset=offset, length=1)
    hint = _HINTS.get(sign)
    text = _said(message, sign)
    return ExpressionError("E301", f"{text} — {hint}" if hint else text, offset=offset, length=1, hint=hint)


def unclosed(what: str, remedy: str, offset: int) -> ExpressionError:
    return ExpressionError("E301", f"{what} is not closed — write {remedy}", offset=offset, length=2)


def _ends_too_soon(message: str) -> str:
    tag = _UNCLOSED_TAG.search(message)
    if tag:
        return f"{{% {tag[1]} %}} is not closed — write {{% end{tag[1]} %}}"
    expected = _EXPECTED.search(message)
    return f"it ends too soon — {_token(expected[1])} is missing" if expected else "it ends too soon"


def _said(message: str, sign: str) -> str:
    tag = _UNKNOWN_TAG.search(message)
    if tag:
        if tag[2]:
            return f"{{% {tag[1]} %}} stands where {{% end{tag[2]} %}} should"
        return f"{{% {tag[1]} %}} has no beginning"
    if "Expected an expression" in message:
        return "an expression is missing here"
    if "unexpected char" in message:
        return f"unexpected character {quoted(sign)}"
    if "chain multiple tests" in message:
        return "only one `is` can stand here — join them with `and`"
    if "function call" in message:
        return "the arguments cannot be read"
    expected = _EXPECTED.match(message)
    if expected and expected[2]:
        return f"expected {_token(expected[1])}, found {_token(expected[2])}"
    if "name or number" in message:
        return "expected a name"
    found = _UNEXPECTED.match(message)
    return f"unexpected {_token(found[1])}" if found else " ".join(message.rstrip(".").split())[:200]


def _token(name: str) -> str:
    known = _TOKENS.get(name)
    if known is None:
        return quoted(name)
    return known if known.startswith("a ") or known == "the end" else quoted(known)
