"""From source to Jinja2's syntax tree: its lexer and parser, nothing that compiles or runs.

Every token is given its character offset in place of its line, so each node's `lineno` is an offset; what could make
the parser recurse too deep, and what the language forbids outright, is refused on the tokens before it starts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream, ignored_tokens, operators
from jinja2.parser import Parser

from domain.expressions.budgets import DEEPEST, LONGEST_SOURCE
from domain.expressions.complaints import complaint, unclosed
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.literals import float_of, integer_of, text_of_literal

TAGS: Final = frozenset({"if", "elif", "else", "endif", "for", "endfor"})
_OPENING: Final = frozenset({"lparen", "lbracket", "lbrace"})
_CLOSING: Final = frozenset({"rparen", "rbracket", "rbrace"})
_UNREADABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Tree:
    """A parsed source. `ends` maps a token's offset to where it ends; of a bracket, where its pair ends."""

    root: nodes.Node
    ends: dict[int, int] = field(default_factory=dict)


class _Stream(TokenStream):
    def __init__(self, tokens: Iterator[Token], ends: dict[int, int]) -> None:
        self.ends = ends
        super().__init__(tokens, None, None)


class _Grammar(Environment):
    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens, ends = _tokens(self, source, state)
        _guard(tokens, is_condition=state is not None)
        return _Stream(iter(tokens), ends)


#: only ever read
_GRAMMAR: Final = _Grammar(extensions=(), keep_trailing_newline=True, optimized=False, cache_size=0)


def parse_condition(source: str) -> Tree:
    """A bare expression."""
    _require_readable(source)
    if not source.strip():
        raise ExpressionError("E301", "an expression is missing here", offset=0, length=len(source))
    with _Refusals(source):
        parser = Parser(_GRAMMAR, source, state="variable")
        root = parser.parse_expression()
        rest = parser.stream.current
        if rest.type != "eof":
            raise complaint(f"unexpected {_written(source, rest)}", rest.lineno, source)
    return Tree(root, parser.stream.ends)  # type: ignore[attr-defined]


def parse_text(source: str) -> Tree:
    """A text with {{ }} and {% %} in it."""
    _require_readable(source)
    with _Refusals(source):
        parser = Parser(_GRAMMAR, source)
        root = parser.parse()
    return Tree(root, parser.stream.ends)  # type: ignore[attr-defined]


class _Refusals:
    """Turns what the parser raises into our error."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, TemplateSyntaxError):
            raise complaint(error.message or "", error.lineno, self.source) from None
        if isinstance(error, RecursionError):
            raise _too_deep(0) from None


def _require_readable(source: str) -> None:
    if len(source) > LONGEST_SOURCE:
        raise ExpressionError(
            "E306", f"the expression has {len(source)} characters — at most {LONGEST_SOURCE}", offset=0, length=1
        )
    found = _UNREADABLE.search(source)
    if found:
        raise ExpressionError("E301", "a character that is no text stands here", offset=found.start(), length=1)


def _tokens(grammar: Environment, source: str, state: str | None) -> tuple[list[Token], dict[int, int]]:
    """Every token the parser wants, with its offset as its line; and where each ends."""
    found: list[Token] = []
    ends: dict[int, int] = {}
    opened: list[int] = []
    position = start = 0
    kind = ""
    try:
        for _line, kind, text in grammar.lexer.tokeniter(source, None, None, state):
            # Only whitespace is ever left out between two tokens
            position = _find(source, text, position)
            start, position = position, position + len(text)
            if kind in ignored_tokens or kind in ("raw_begin", "raw_end"):
                continue
            value: Any = text
            if kind == "operator":
                kind = operators[text]
                if kind in _OPENING:
                    opened.append(start)
                elif kind in _CLOSING:
                    ends[opened.pop()] = position
            elif kind == "string":
                value = text_of_literal(text, start)
            elif kind == "integer":
                value = integer_of(text, start)
            elif kind == "float":
                value = float_of(text, start)
            elif kind == "name" and not text.isidentifier():
                raise ExpressionError("E301", f"{quoted(text)} is not a name", offset=start, length=len(text))
            ends.setdefault(start, position)
            found.append(Token(start, kind, value))
    except TemplateSyntaxError as error:
        message = error.message or ""
        if "Missing end of" in message:
            raise _unclosed("comment_begin" if "comment" in message else "raw_begin", start) from None
        raise TemplateSyntaxError(message, position) from None
    if kind in ("comment_begin", "raw_begin"):
        raise _unclosed(kind, start)
    return found, ends


def _find(source: str, text: str, position: int) -> int:
    if source.startswith(text, position):
        return position
    return max(source.find(text, position), position)


def _guard(tokens: list[Token], *, is_condition: bool) -> None:
    """Refuse what is forbidden by its looks, and nesting that the parser would follow by recursion."""
    levels: list[tuple[int, int]] = []
    depth = signs = elses = 0
    before = Token(-1, "", "")
    for index, token in enumerate(tokens):
        kind, value = token.type, token.value
        if kind in ("sub", "add") or (kind == "name" and value == "not"):
            signs += 1
        elif kind in _OPENING:
            if kind == "lbrace" and before.type == "lbrace" and before.lineno == token.lineno - 1 and is_condition:
                raise _braces(before.lineno)
            levels.append((cost := 1 + signs + elses, elses))
            depth += cost
            signs = elses = 0
        elif kind in _CLOSING and levels:
            cost, elses = levels.pop()
            depth -= cost
            signs = 0
        elif kind == "block_begin":
            depth += _tag(tokens, index)
        elif kind == "pow":
            raise ExpressionError("E305", "`**` is not part of the language — multiply", offset=token.lineno, length=2)
        elif kind == "name":
            signs = 0
            elses += value == "else"
            if value.startswith("_"):
                raise ExpressionError(
                    "E305", f"a name cannot start with `_`: {quoted(value)}", offset=token.lineno, length=len(value)
                )
        elif kind == "mod" and before.type == "lbrace" and before.lineno == token.lineno - 1 and is_condition:
            raise _braces(before.lineno)
        elif kind in ("variable_end", "block_end") and is_condition:
            raise _braces(token.lineno)
        else:
            signs = 0
            if kind in ("comma", "colon", "variable_end", "block_end"):
                elses = 0
        if depth + signs + elses > DEEPEST:
            raise _too_deep(token.lineno)
        before = token


def _tag(tokens: list[Token], index: int) -> int:
    """How a tag changes the nesting. Raises E305 for one that is not ours."""
    if index + 1 >= len(tokens) or tokens[index + 1].type != "name":
        return 0
    name, offset = tokens[index + 1].value, tokens[index + 1].lineno
    if name not in TAGS:
        remedy = " — use a `set` step" if name == "set" else " — only if and for"
        raise ExpressionError("E305", f"the tag {quoted(name)} is not allowed{remedy}", offset=offset, length=len(name))
    return {"if": 1, "for": 1, "endif": -1, "endfor": -1}.get(name, 0)


def _unclosed(kind: str, offset: int) -> ExpressionError:
    if kind == "raw_begin":
        return unclosed("{% raw %}", "{% endraw %}", offset)
    return unclosed("the remark {#", "#}", offset)


def _written(source: str, token: Token) -> str:
    value = token.value if isinstance(token.value, str) else source[token.lineno : token.lineno + 20]
    return quoted(value or token.type)


def _braces(offset: int) -> ExpressionError:
    return ExpressionError(
        "E303", "a condition is already an expression — remove the {{ }} braces", offset=offset, length=2
    )


def _too_deep(offset: int) -> ExpressionError:
    return ExpressionError("E306", f"nested more than {DEEPEST} deep — split it into steps", offset=offset, length=1)
