"""What an author is told about a source that cannot be read: one line in plain words, and the place."""

import pytest

from tests.domain.expressions.saying import refusal


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("a ==", 4, "it ends too soon"),
        ("(a", 2, "it ends too soon — ')' is missing"),
        ("a | ", 4, "it ends too soon — a name is missing"),
        ("a b", 2, "unexpected 'b'"),
        ("a = 1", 2, "unexpected '=' — compare with =="),
        ("a && b", 2, "unexpected character '&' — write `and`"),
        ("a || b", 3, "expected a name, found '|' — write `or`"),
        ("!a", 0, "unexpected character '!' — write `not`"),
        ("a ? b : c", 2, "unexpected character '?' — write `a if c else b`"),
        ("a == 'b", 5, "the text is not closed — add the second quote"),
        ("a.", 1, "expected a name"),
        ("a is empty is none", 11, "only one `is` can stand here — join them with `and`"),
        ("f(a=1, 2)", 1, "the arguments cannot be read"),
        ("[1)", 2, "unexpected ')', expected ']'"),
    ],
)
def test_a_condition_that_cannot_be_read(source: str, offset: int, message: str) -> None:
    error = refusal(source, is_condition=True)
    assert (error.code, error.offset, error.message) == ("E301", offset, message)


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("{{ a", 4, "it ends too soon — '}}' is missing"),
        ("{{ }}", 3, "an expression is missing here"),
        ("{{ a b }}", 5, "expected '}}', found 'b'"),
        ("{{ a } }}", 5, "unexpected '}'"),
        ("{% if x %}a", 11, "{% if %} is not closed — write {% endif %}"),
        ("{% if x %}a{% endfor %}", 14, "{% endfor %} stands where {% endif %} should"),
        ("{% endif %}", 3, "{% endif %} has no beginning"),
        ("{% if %}{% endif %}", 6, "an expression is missing here"),
        ("{% for x %}{% endfor %}", 9, "expected 'in', found '%}'"),
        ("так {# a", 4, "the remark {# is not closed — write #}"),
        ("{#", 0, "the remark {# is not closed — write #}"),
        ("{% raw %} b", 0, "{% raw %} is not closed — write {% endraw %}"),
        ("{% raw %}", 0, "{% raw %} is not closed — write {% endraw %}"),
    ],
)
def test_a_text_that_cannot_be_read(source: str, offset: int, message: str) -> None:
    error = refusal(source)
    assert (error.code, error.offset, error.message) == ("E301", offset, message)
