"""Literals in a source: numbers and quoted texts."""

import math
import re
from typing import Final

from domain.expressions.budgets import LARGEST_INTEGER
from domain.expressions.errors import ExpressionError

_ESCAPES: Final = re.compile(r"\\(?:([\\'\"nrt])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t"}


def integer_of(text: str, offset: int) -> int:
    """E306 beyond int64."""
    digits = text.replace("_", "")
    value = int(digits, 0) if len(digits) <= 70 else LARGEST_INTEGER + 1
    # the sign stands outside the literal: 2^63 itself is refused even where a minus would make it fit
    if value > LARGEST_INTEGER:
        raise ExpressionError("E306", "the number is out of range", offset=offset, length=len(text))
    return value


def float_of(text: str, offset: int) -> float:
    value = float(text.replace("_", ""))
    if not math.isfinite(value):
        raise ExpressionError("E306", "the number is out of range", offset=offset, length=len(text))
    return value


def text_of_literal(text: str, offset: int) -> str:
    r"""A quoted text with \\ \' \" \n \r \t \xHH \uHHHH \UHHHHHHHH; any other backslash stays, as patterns need."""

    def written(found: re.Match[str]) -> str:
        plain, *codes = found.groups()
        if plain is not None:
            return _PLAIN.get(plain, plain)
        code = int(next(code for code in codes if code is not None), 16)
        if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ExpressionError(
                "E301", f"{found[0]} is not a character", offset=offset + 1 + found.start(), length=len(found[0])
            )
        return chr(code)

    return _ESCAPES.sub(written, text[1:-1])
