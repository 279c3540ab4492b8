"""A name is suggested when it is near, and nearer than any other."""

import pytest

from domain.definitions.names import EVENTS, closest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("whiel", ["while", "title"], "while"), ("titel", ["while", "title"], "title"), ("statu", ["status"], "status"),
        ("opened", ["open", "closed"], "open"), ("tag", ["tags"], "tags"),
        ("Europe/kiev", ["europe/kyiv"], "europe/kyiv"),
        ("sla.breach", sorted(EVENTS), "sla.breached"), ("concurency", ["concurrency"], "concurrency"),
        ("while", ["title", "timeout", "guard"], None), ("do", ["to", "on"], None), ("mode", ["note", "tests"], None),
        ("id", ["if", "at"], None), ("cat", ["bat", "hat"], None), ("note", ["vote", "nose"], None),
        ("vip", ["tip", "new"], "tip"), ("", ["a"], None), ("x" * 61, ["x" * 60], None),
    ],
)  # fmt: skip
def test_the_name_that_was_probably_meant(name: str, known: list[str], meant: str | None) -> None:
    assert closest(name, known) == meant
