"""The one error of expressions.

Compiling: E301 syntax, E303 braces around a condition, E304 unknown filter or test, E305 forbidden construct, E306 too
long, too deep or not boolean. Running: R306 not boolean, R310 fuel, R311 text too long, R312 list too long or too
deep, R313 number or moment out of range, R314 division by zero, R320 missing, R321 null in text, R322 list or object
in text, R323 wrong type, R324 unreadable value.
"""

from typing import Any


class ExpressionError(Exception):
    """`message` is one line, what and remedy; `offset` and `length` count characters of the source.

    `pointer` (RFC 6901) is set by render(); `fix` is the text to write instead of the whole source.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        offset: int | None = None,
        length: int | None = None,
        hint: str | None = None,
        suggestion: str | None = None,
        name: str | None = None,
        fix: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint
        self.suggestion = suggestion
        self.name = name
        self.fix = fix
        self.pointer = pointer

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (ExpressionError, (self.code, self.message), self.__dict__)

    def at(self, offset: int, length: int) -> "ExpressionError":
        """The same error, placed unless it has a place already."""
        if self.offset is None:
            self.offset, self.length = offset, length
        return self


def quoted(text: object, most: int = 40) -> str:
    """A piece of foreign text in a one-line message."""
    line = " ".join(str(text).split())
    return f"'{line if len(line) <= most else line[: most - 1] + '…'}'"
