"""Expressions of the definition language: Jinja2's syntax, our own allow-list, counted fuel, exact types.

`compile_condition` for bare expressions, `compile_value` for texts with {{ }}, `render` for whole trees.
"""

from domain.expressions.errors import ExpressionError
from domain.expressions.evaluating import Expression, compile_condition, compile_value
from domain.expressions.filling import fields_in, fill
from domain.expressions.parts import Comparison, Reference, Side
from domain.expressions.rendering import render
from domain.expressions.values import MISSING
from domain.expressions.writing import to_json

__all__ = [
    "MISSING",
    "Comparison",
    "Expression",
    "ExpressionError",
    "Reference",
    "Side",
    "compile_condition",
    "compile_value",
    "fields_in",
    "fill",
    "render",
    "to_json",
]
