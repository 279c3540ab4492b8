"""Filters of numbers."""

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.operators import add
from domain.expressions.values import MISSING, described, format_number, kind_of, number, wrong

MOST_DIGITS = 10

_WHOLE: Final = re.compile(r"\s{0,20}([+-]?[0-9]{1,19})\s{0,20}", re.ASCII)
_FRACTION: Final = re.compile(r"\s{0,20}([+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?)\s{0,20}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_SYMBOLS: Final = {"UAH": "₴"}


def rounded(_run: Evaluation, value: Any, digits: Any) -> int | float:
    """Halves away from zero, as in accounts: 2.5 → 3. Without digits a whole number."""
    if kind_of(value) != "number":
        raise wrong("| round", "a number", value)
    if kind_of(digits) != "number" or not isinstance(digits, int) or not 0 <= digits <= MOST_DIGITS:
        raise ExpressionError("R324", f"| round takes from 0 to {MOST_DIGITS} digits")
    if isinstance(value, int):
        return number(value)
    exact = _half_up(Decimal(float.__repr__(number(value))), digits)
    return number(float(exact) if digits else int(exact))


def whole(_run: Evaluation, value: Any, default: Any) -> Any:
    """A whole number out of a number (its fraction dropped) or a text."""
    if kind_of(value) == "number":
        return number(int(number(value)))
    found = _WHOLE.fullmatch(value) if kind_of(value) == "text" else None
    if found is not None:
        return number(int(found[1]))
    return _else("int", value, default)


def fraction(_run: Evaluation, value: Any, default: Any) -> Any:
    """A number with a fraction out of a number or a text."""
    try:
        if kind_of(value) == "number":
            return number(float(value))
    except OverflowError:
        raise ExpressionError("R313", "the number is out of range") from None
    found = _FRACTION.fullmatch(value) if kind_of(value) == "text" else None
    if found is not None:
        return number(float(found[1]))
    return _else("float", value, default)


def total(run: Evaluation, value: Any) -> Any:
    """Of numbers, or of durations; 0 of an empty list."""
    if kind_of(value) != "list":
        raise wrong("| sum", "a list", value)
    run.items(len(value))
    result: Any = timedelta(0) if value and kind_of(value[0]) == "duration" else 0
    for item in value:
        if kind_of(item) not in ("number", "duration"):
            raise wrong("| sum", "numbers", item)
        result = add(result, item, run)
    return result


def money(_run: Evaluation, value: Any, currency: Any) -> str:
    """`1 000,00 ₴`: Ukrainian style, two digits, halves away from zero; other currencies by their code."""
    require_currency([currency])
    text = value if kind_of(value) == "text" else None
    if kind_of(value) == "number":
        text = format_number(value)
    found = _FRACTION.fullmatch(text) if text is not None else None
    if found is None:
        if kind_of(value) == "text":
            raise ExpressionError("R324", f"| money cannot read {quoted(value)} as a number")
        raise wrong("| money", "a number", value)
    amount = Decimal(found[1])
    if amount.copy_abs() >= 10**18:
        raise ExpressionError("R313", "the amount is out of range")
    exact = _half_up(amount, 2)
    sign = "-" if exact < 0 else ""
    return f"{sign}{exact.copy_abs():,.2f}".replace(",", " ").replace(".", ",") + f" {_SYMBOLS.get(currency, currency)}"


def require_currency(arguments: Sequence[Any]) -> None:
    """R324 unless it is a code of three capitals (or not known yet)."""
    (currency,) = arguments
    if currency is not MISSING and not (kind_of(currency) == "text" and _CURRENCY.fullmatch(currency)):
        raise ExpressionError("R324", "a currency is a code of three letters: 'UAH', 'USD', 'EUR'")


def _half_up(value: Decimal, digits: int) -> Decimal:
    """Exact however long the number is: the default context keeps 28 digits only."""
    sign, whole_digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if exponent >= -digits:
        return value
    kept = Decimal((0, whole_digits, exponent + digits))
    scaled = int(kept.to_integral_value(rounding=ROUND_HALF_UP))
    return Decimal((sign, tuple(map(int, str(scaled))), -digits))


def _else(name: str, value: Any, default: Any) -> Any:
    if default is not MISSING:
        return default
    if kind_of(value) == "text":
        raise ExpressionError("R324", f"| {name} cannot read {quoted(value)} as a number")
    raise ExpressionError("R323", f"| {name} needs a number or a text, not {described(value)}")
